import { readFileSync } from "node:fs";
import { fromBinary } from "@bufbuild/protobuf";
import * as ort from "onnxruntime-web";
import { beforeAll, describe, expect, test } from "vitest";
import { goldenNetNames, notOnSimd, openGoldenNet } from "../../../tools/simd/golden-nets.ts";
import { flattened, floats, smallGraph } from "../../../tools/simd/small-graphs.ts";
import type { Engine } from "../../engine/engine.ts";
import { createOrtWasmEngine } from "../../engine/ort-wasm.ts";
import { createSimdEngine } from "../../engine/simd/simd-engine.ts";
import { ModelProtoSchema, TensorProto_DataType } from "../../gen/onnx/onnx_pb.ts";
import { floatsOf, type Graph } from "../graph.ts";
import { writeOnnx } from "../write-onnx.ts";
import { storeFloat16 } from "./store-float16.ts";

const convolution = smallGraph([["Conv", ["picture", "w", "bias"], "a"], ...flattened("a")], 160, {
  w: floats(8, 3, 1, 1),
  bias: floats(8),
  unused: floats(9, 9),
});

async function run(onnx: Uint8Array): Promise<Float32Array> {
  const session = await ort.InferenceSession.create(onnx);
  const data = Float32Array.from({ length: 60 }, (_, i) => Math.cos(i * i));
  const results = await session.run({ input: new ort.Tensor("float32", data, [1, 4, 5, 3]) });
  return results.last!.data as Float32Array;
}

beforeAll(() => {
  ort.env.wasm.numThreads = 1;
});

describe("kernels are stored as float16", () => {
  const { graph } = fromBinary(ModelProtoSchema, writeOnnx(storeFloat16(convolution)));

  test("and cast before they are taken; biases stay, what nobody takes goes", () => {
    expect(graph!.initializer.map(({ name, dataType }) => [name, dataType])).toEqual([
      ["w/float16", TensorProto_DataType.FLOAT16],
      ["bias", TensorProto_DataType.FLOAT],
    ]);
    expect(graph!.node.slice(0, 1).map(({ opType, input, output }) => [opType, input, output])).toEqual([
      ["Cast", ["w/float16"], ["w/Cast"]],
    ]);
    expect(graph!.node.find(({ opType }) => opType === "Conv")!.input).toEqual(["picture", "w/Cast", "bias"]);
  });

  test("the network computes in float32 what it computes with rounded kernels, to the last bit", async () => {
    const { shape, data } = floatsOf(convolution, "w");
    // A kernel below 1 in magnitude: 11 bits of it are kept, counted from its leading one.
    const rounded = data.map((value) => {
      const unit = 2 ** (Math.floor(Math.log2(Math.abs(value))) - 10);
      return Math.round(value / unit) * unit;
    });
    expect(rounded).not.toEqual(data);
    const constants = new Map(convolution.constants).set("w", { kind: "float32", shape, data: rounded });
    const [got, expected] = await Promise.all([
      run(writeOnnx(storeFloat16(convolution))),
      run(writeOnnx({ ...convolution, constants })),
    ]);
    expect(got).toEqual(expected);
  });

  test("names that are taken are not taken again", () => {
    const constants = new Map(convolution.constants).set("w/float16", floats(1)).set("w/Cast", floats(1));
    const nodes = convolution.nodes.map((node) =>
      node.op === "Conv" ? { ...node, inputs: ["picture", "w", "w/Cast"] } : node,
    );
    const stored = storeFloat16({ ...convolution, nodes, constants } as Graph);
    expect(stored.nodes[0]).toMatchObject({ inputs: ["w/float16_2"], output: "w/Cast_2" });
  });
});

describe("every network of tf_keras's goldens, stored so", () => {
  const kernels = new URL("../../engine/simd/kernels-plain.wasm", import.meta.url);
  const ortWasm = createOrtWasmEngine(ort);
  const simd = createSimdEngine(new WebAssembly.Module(readFileSync(kernels)));

  test.each(goldenNetNames)("%s: the engines give nearly the same, near Keras's", async (name) => {
    const { onnx, input, inputShape, expected } = await openGoldenNet(name, { precision: "fp16" });
    expect(Buffer.compare(onnx, (await openGoldenNet(name, { precision: "fp16" })).onnx)).toBe(0);
    if (inputShape.length === 2) return;
    const run = async (engine: Engine) => (await engine.load(onnx)).run(input, inputShape[0]!);
    const wasm = await run(ortWasm);
    const largest = Math.max(1, ...expected.map(Math.abs));
    const apart = (a: Float32Array, b: Float32Array) =>
      a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0) / largest;
    expect(wasm.length).toBe(expected.length);
    if (!notOnSimd.has(name)) expect(apart(wasm, await run(simd))).toBeLessThanOrEqual(1e-6);
    // Kernels keep 11 bits, so that a sum of a few dozen products is right to about a thousandth.
    expect(apart(wasm, expected)).toBeLessThanOrEqual(2e-3);
  });
});
