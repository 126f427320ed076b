import { readFileSync } from "node:fs";
import { clearField } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { changeOnnx } from "../../../tools/simd/change-onnx.ts";
import { flattened, floats, smallGraph } from "../../../tools/simd/small-graphs.ts";
import { writeOnnx } from "../../convert/write-onnx.ts";
import {
  AttributeProto_AttributeType,
  type GraphProto,
  type ModelProto,
  TensorProto_DataLocation,
  TensorProto_DataType,
  TensorProtoSchema,
} from "../../gen/onnx/onnx_pb.ts";
import { packModel } from "./packed-model.ts";
import { createSimdEngine } from "./simd-engine.ts";

const module = new WebAssembly.Module(readFileSync(new URL("kernels-plain.wasm", import.meta.url)));
const engine = createSimdEngine(module);

const good = smallGraph(
  [
    ["Conv", ["picture", "w"], "convolved"],
    ["GlobalAveragePool", "convolved", "pooled"],
    ["Flatten", "pooled", "last"],
  ],
  8,
  { w: floats(8, 3, 1, 1) },
);
const weightsOf = ({ initializer }: GraphProto) => initializer[0]!;

describe("bytes that are no model, or a broken one, are corrupt", () => {
  test.each<[string, Uint8Array, string]>([
    ["other bytes", Uint8Array.of(8, 255), "expected an ONNX model, got 2 bytes that are none"],
    ["no bytes", new Uint8Array(0), "expected an ONNX model with a graph, got none"],
    ["half a file", writeOnnx(good).subarray(0, 300), "expected an ONNX model, got 300 bytes that are none"],
    [
      "fewer values than the shape says",
      changeOnnx(good, (graph) => Object.assign(weightsOf(graph), { rawData: new Uint8Array(92) })),
      'constant "w": expected 24 values for (8, 3, 1, 1), got 23',
    ],
    [
      "a byte too many",
      changeOnnx(good, (graph) => Object.assign(weightsOf(graph), { rawData: new Uint8Array(97) })),
      'constant "w": expected 24 values for (8, 3, 1, 1), got 0',
    ],
    [
      "values that lie in another file",
      changeOnnx(good, (graph) => {
        const weights = Object.assign(weightsOf(graph), { dataLocation: TensorProto_DataLocation.EXTERNAL });
        clearField(weights, TensorProtoSchema.field.rawData);
      }),
      'constant "w": expected 24 values for (8, 3, 1, 1), got 0',
    ],
    [
      "a shape of 16 GiB and the bytes of a small one",
      changeOnnx(good, (graph) => Object.assign(weightsOf(graph), { dims: [65536n, 65536n] })),
      'constant "w": expected 4294967296 values for (65536, 65536), got 24',
    ],
    [
      "a node that gives nothing",
      changeOnnx(good, (graph) => void graph.node[1]!.output.pop()),
      'node "convolved": expected an output, got none',
    ],
    [
      "a node whose first output is left out",
      changeOnnx(good, (graph) => void graph.node[1]!.output.unshift("")),
      'node "convolved": expected an output, got none',
    ],
  ])("%s", async (_, onnx, message) => {
    await expect(engine.load(onnx)).rejects.toMatchObject({ reason: "MODEL_CORRUPT", message });
  });
});

describe("a model of another kind is refused", () => {
  test.each<[string, (graph: GraphProto, model: ModelProto) => unknown, string]>([
    [
      "an older opset",
      (_, model) => Object.assign(model.opsetImport[0]!, { version: 12n }),
      "expected opset 13 to 23 of ONNX, got 12",
    ],
    [
      "a newer opset",
      (_, model) => Object.assign(model.opsetImport[0]!, { version: 24n }),
      "expected opset 13 to 23 of ONNX, got 24",
    ],
    ["no opset", (_, model) => void model.opsetImport.pop(), "expected opset 13 to 23 of ONNX, got none"],
    [
      "operators of others",
      (graph) => Object.assign(graph.node[1]!, { domain: "com.microsoft" }),
      'node "convolved": operator Conv of the domain com.microsoft is not known',
    ],
    [
      "several outputs of a node",
      (graph) => void graph.node[1]!.output.push("more"),
      'node "convolved": Conv with 2 outputs is not known',
    ],
    [
      "an attribute that is a tensor",
      (graph) => Object.assign(graph.node[0]!.attribute[0]!, { type: AttributeProto_AttributeType.TENSOR }),
      'node "picture": attribute perm is of a type that is not known',
    ],
    [
      "double precision",
      (graph) => Object.assign(weightsOf(graph), { dataType: TensorProto_DataType.DOUBLE }),
      'constant "w": expected float32, float16 or int64 values, got double',
    ],
    [
      "values of a type that ONNX does not have",
      (graph) => Object.assign(weightsOf(graph), { dataType: 99 }),
      'constant "w": expected float32, float16 or int64 values, got type 99',
    ],
    [
      "a quantised model, such as the variant int8",
      (graph) => Object.assign(weightsOf(graph), { dataType: TensorProto_DataType.INT8 }),
      'constant "w": expected float32, float16 or int64 values, got int8; a quantised model needs another engine, such as ort-wasm',
    ],
    [
      "float16 weights that are not cast",
      (graph) =>
        Object.assign(weightsOf(graph), {
          dataType: TensorProto_DataType.FLOAT16,
          rawData: new Uint8Array(48),
        }),
      'node "convolved" (Conv): expected its input 1 to be float32',
    ],
    [
      "a constant of no values",
      (graph) => Object.assign(weightsOf(graph), { dims: [0n, 3n] }),
      'constant "w": expected sizes of at least 1, got (0, 3)',
    ],
    [
      "nodes in the wrong order",
      (graph) => void graph.node.reverse(),
      'node "last" (Flatten): expected its input 0 to be the result of a node before it',
    ],
    [
      "an output that no node gives",
      (graph) => Object.assign(graph.output[0]!, { name: "nobody" }),
      'expected a node that gives the output "nobody"',
    ],
    [
      "two outputs",
      (graph) => void graph.output.push(graph.output[0]!),
      "expected one input and one output, got 1 and 2",
    ],
  ])("%s", async (_, change, message) => {
    await expect(engine.load(changeOnnx(good, change))).rejects.toMatchObject({
      reason: "ENGINE_UNSUPPORTED",
      message: `simd: ${message}`,
    });
  });
});

test("refuses a tensor of another size", async () => {
  const session = await engine.load(writeOnnx(good));
  await expect(session.run(new Float32Array(59), 1)).rejects.toMatchObject({
    reason: "ENGINE_FAILED",
    message: "simd: expected 1 x 60 values, got 59",
  });
});

test("a trap in a kernel names the node that it happened in", async () => {
  const packed = packModel(writeOnnx(smallGraph([["Tanh", "picture", "odd"], ...flattened("odd")], 60)));
  const steps = packed.plan.steps.map((step) => (step.kind === "activation" ? { ...step, code: 99 } : step));
  const broken = createSimdEngine(module, {
    seat: 0,
    packed: { ...packed, plan: { ...packed.plan, steps } },
  });
  const session = await broken.load(new Uint8Array(0));
  const error = await session.run(new Float32Array(60), 1).catch((cause: unknown) => cause);
  expect(error).toMatchObject({ reason: "ENGINE_FAILED", message: 'simd: node "odd" could not be run' });
  expect((error as Error).cause).toBeInstanceOf(WebAssembly.RuntimeError);
});
