import { create } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { changed, exported, refusalOf } from "../../../tools/exported-onnx.ts";
import { createRandom } from "../../../tools/random.ts";
import { EmbedError } from "../../errors.ts";
import {
  AttributeProtoSchema,
  type GraphProto,
  ModelProtoSchema,
  NodeProtoSchema,
  SparseTensorProtoSchema,
  TensorProto_DataLocation,
  TensorProto_DataType,
} from "../../gen/onnx/onnx_pb.ts";
import { checkOnnxWire } from "./check-onnx-wire.ts";
import { readOnnxModel } from "./read-onnx-model.ts";

describe("a broken or hostile model is refused", () => {
  const kernel = "conv/kernel";
  const tensor = (graph: GraphProto) => graph.initializer.find((one) => one.name === kernel)!;
  test.each<[string, Uint8Array, string]>([
    ["nothing", new Uint8Array(0), "expected an ONNX model with a graph, got none"],
    ["no protobuf", new TextEncoder().encode("GIF89a"), "expected an ONNX model, got 6 bytes that are none"],
    ["cut short", exported().slice(0, 300), "the ONNX model ends within a field; it may be cut short"],
    [
      "a claim of two gibibytes",
      changed((graph) => {
        tensor(graph).dims = [2n ** 29n];
      }),
      `tensor "${kernel}": expected 536870912 values for (536870912,), got 108`,
    ],
    [
      "a negative shape",
      changed((graph) => {
        tensor(graph).dims = [-108n];
      }),
      `tensor "${kernel}": expected -108 values for (-108,), got 108`,
    ],
    [
      "a tensor in another file",
      changed((graph) => {
        tensor(graph).dataLocation = TensorProto_DataLocation.EXTERNAL;
        tensor(graph).rawData = new Uint8Array(0);
      }),
      `tensor "${kernel}" lies in another file; save the model as one, without external data`,
    ],
    [
      "a tensor of texts",
      changed((graph) => {
        tensor(graph).dataType = TensorProto_DataType.STRING;
      }),
      `tensor "${kernel}": expected numbers, got type 8 of ONNX`,
    ],
    [
      "a tensor twice",
      changed((graph) => {
        graph.initializer.push(tensor(graph));
      }),
      `two tensors are named "${kernel}"`,
    ],
    [
      "sparse tensors",
      changed((graph) => {
        graph.sparseInitializer.push(create(SparseTensorProtoSchema));
      }),
      "expected no sparse tensors",
    ],
    [
      "functions",
      changed((_graph, model) => {
        model.functions = create(ModelProtoSchema, { functions: [{ name: "f" }] }).functions;
      }),
      "expected no functions of the model's own",
    ],
    [
      "a circle",
      changed((graph) => {
        graph.node = [
          create(NodeProtoSchema, { opType: "Add", input: ["b", "pixels"], output: ["a"] }),
          create(NodeProtoSchema, { opType: "Relu", input: ["a"], output: ["b"] }),
        ];
      }),
      'node "a" (Add) takes "b", which nothing before it gives',
    ],
    [
      "one output of two nodes",
      changed((graph) => {
        graph.node.push(
          create(NodeProtoSchema, { opType: "Relu", input: ["pixels"], output: ["conv/Conv"] }),
        );
      }),
      'node "conv/Conv" (Relu) gives "conv/Conv", which is given already',
    ],
    [
      "a graph within a node",
      changed((graph) => {
        graph.node[0]!.attribute.push(create(AttributeProtoSchema, { name: "body", g: {} }));
      }),
      'node "conv/Conv" (Conv) holds a graph of its own; expected a network without branches or loops',
    ],
  ])("%s", (_what, bytes, message) => {
    expect(refusalOf(bytes)).toBe(message);
  });

  test("2000 damaged models: each is taken or has its typed error", { timeout: 60_000 }, () => {
    const whole = exported();
    const outcomes = { taken: 0, refused: 0 };
    for (let index = 0; index < 2000; index++) {
      const random = createRandom(7, index);
      const bytes = random.chance(15) ? whole.slice(0, random.below(whole.length)) : whole.slice();
      for (let i = random.pick([1, 1, 2, 8]); i > 0 && bytes.length > 0; i--) {
        bytes[random.below(bytes.length)] = random.below(256);
      }
      try {
        readOnnxModel(bytes, { pooling: "avg" });
        outcomes.taken++;
      } catch (error) {
        if (!(error instanceof EmbedError) || error.reason !== "CONVERT_INVALID") throw error;
        outcomes.refused++;
      }
    }
    // The damage gets past the first look.
    expect(Math.min(outcomes.taken, outcomes.refused)).toBeGreaterThan(200);
  });

  test("a bomb of empty fields is refused before it is parsed", () => {
    // Each is an empty node, in two bytes.
    const nodes = new Uint8Array(5_000_000).map((_, i) => (i % 2 === 0 ? 0x0a : 0));
    const length = [
      nodes.length & 0x7f,
      (nodes.length >> 7) & 0x7f,
      (nodes.length >> 14) & 0x7f,
      nodes.length >> 21,
    ];
    const head = Uint8Array.of(0x3a, ...length.map((byte, i) => (i < 3 ? byte | 0x80 : byte)));
    expect(refusalOf(new Uint8Array([...head, ...nodes]))).toBe(
      "expected an ONNX model of at most 2000000 fields and listed values",
    );
  });

  test("a list of numbers counts as many as it may hold", () => {
    const field = (tag: number, bytes: Uint8Array) => {
      const { length } = bytes;
      const head = [tag, (length & 0x7f) | 0x80, ((length >> 7) & 0x7f) | 0x80, (length >> 14) & 0x7f];
      return Buffer.concat([Uint8Array.from(head), bytes]);
    };
    // model.graph.initializer.int64_data, a byte each.
    const model = (count: number) => field(0x3a, field(0x2a, field(0x3a, new Uint8Array(count))));
    expect(() => checkOnnxWire(model(1_999_000))).not.toThrow();
    expect(() => checkOnnxWire(model(2_000_000))).toThrow("at most 2000000 fields and listed values");
  });

  test("a field of another kind than ONNX has it", () => {
    // model.graph as a number.
    expect(refusalOf(Uint8Array.of(0x38, 0x01))).toBe(
      "the ONNX model has a field graph of another kind than ONNX's",
    );
  });

  test("messages within messages without end", () => {
    let bytes = new Uint8Array(0);
    // graph.node.attribute.g.node and so on; each level adds a few bytes.
    for (let level = 0; level < 12; level++) {
      for (const tag of [0x32, 0x2a, 0x0a]) bytes = wrap(tag, bytes);
    }
    expect(() => checkOnnxWire(wrap(0x3a, bytes))).toThrow("the ONNX model is nested more than 20 deep");
  });
});

function wrap(tag: number, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { length } = bytes;
  return Uint8Array.of(tag, (length & 0x7f) | 0x80, length >> 7, ...bytes);
}
