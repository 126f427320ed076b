import { fromBinary } from "@bufbuild/protobuf";
import * as ort from "onnxruntime-web";
import { beforeAll, describe, expect, test } from "vitest";
import { flattened, floats, type ShortNode, smallGraph } from "../../../tools/simd/small-graphs.ts";
import { ModelProtoSchema } from "../../gen/onnx/onnx_pb.ts";
import { type Graph, ints } from "../graph.ts";
import { writeOnnx } from "../write-onnx.ts";
import type { Int8Ranges } from "./int8-ranges.ts";
import { quantise } from "./quantise.ts";

const values = Float32Array.from({ length: 60 }, (_, i) => 2 * Math.cos(i * i));
const constants = { w: floats(8, 3, 1, 1), wide: floats(8, 3, 3, 3), bias: floats(8) };

async function run(graph: Graph): Promise<Float32Array> {
  const session = await ort.InferenceSession.create(writeOnnx(graph));
  const results = await session.run({ input: new ort.Tensor("float32", values, [1, 4, 5, 3]) });
  return results.last!.data as Float32Array;
}

beforeAll(() => {
  ort.env.wasm.numThreads = 1;
});

describe("against an independent reference in float64, after the ONNX definitions", () => {
  const limit = (value: number, low: number, high: number) => Math.min(high, Math.max(low, value));

  test("a convolution between two tensors in eight bits", async () => {
    const nodes: ShortNode[] = [
      ["Relu", "picture", "in"],
      ["Conv", ["in", "w", "bias"], "out"],
      ...flattened("out"),
    ];
    const got = await run(quantise(smallGraph(nodes, 160, constants), { in: [0, 2], out: [-2, 3] }));
    const [w, bias] = [constants.w.data as Float32Array, constants.bias.data as Float32Array];
    const inScale = Math.fround(2 / 255);
    const outScale = Math.fround(5 / 255);
    const outZero = Math.round(2 / outScale);
    let most = 0;
    for (let pixel = 0; pixel < 20; pixel++) {
      for (let filter = 0; filter < 8; filter++) {
        const row = w.subarray(filter * 3, filter * 3 + 3);
        const scale = Math.fround(Math.max(...row.map(Math.abs)) / 127);
        const steps = [...row].map((weight) => Math.round(weight / scale));
        const inputs = [0, 1, 2].map((channel) =>
          limit(Math.round(values[pixel * 3 + channel]! / inScale), 0, 255),
        );
        const product = inputs.reduce((sum, input, channel) => sum + input * steps[channel]!, 0);
        const exact =
          product * inScale * scale + Math.round(bias[filter]! / (inScale * scale)) * inScale * scale;
        const expected = (limit(Math.round(exact / outScale) + outZero, 0, 255) - outZero) * outScale;
        most = Math.max(most, Math.abs(expected - got[pixel * 8 + filter]!));
      }
    }
    // One step, where a sum lies between two and float32 rounds it the other way.
    expect(most).toBeLessThanOrEqual(outScale * 1.001);
  });
});

describe("near the float32 network", () => {
  /** Largest error that the steps can make: a convolution's input and weights by half a step each, its result by half a step. */
  const cases: [string, ShortNode[], Int8Ranges, dimension: number, bound: number][] = [
    [
      "a convolution whose result stays float32",
      [["Relu", "picture", "in"], ["Conv", ["in", "w", "bias"], "out"], ...flattened("out")],
      { in: [0, 2] },
      160,
      3 * (1 / 255 + 2 * (0.5 / 127)) + 0.001,
    ],
    [
      "three by three with borders, and its Relu",
      [
        ["Relu", "picture", "in"],
        ["Conv", ["in", "wide", "bias"], "sum", { pads: ints([1, 1, 1, 1]) }],
        ["Relu", "sum", "out"],
        ...flattened("out"),
      ],
      { in: [0, 2], out: [0, 20] },
      160,
      27 * (1 / 255 + 2 * (0.5 / 127)) + 10 / 255,
    ],
    [
      "an addition of two of them, with a pool",
      [
        ["Relu", "picture", "in"],
        ["Conv", ["in", "w", "bias"], "left"],
        ["Conv", ["in", "w"], "right"],
        ["Add", ["left", "right"], "sum"],
        ["Relu", "sum", "both"],
        [
          "MaxPool",
          "both",
          "out",
          { kernel_shape: ints([1, 1]), pads: ints([0, 0, 0, 0]), strides: ints([1, 1]) },
        ],
        ...flattened("out"),
      ],
      { in: [0, 2], left: [-6, 6], right: [-6, 6], both: [0, 12] },
      160,
      2 * (3 * (1 / 255 + 2 * (0.5 / 127)) + 6 / 255) + 6 / 255,
    ],
  ];
  test.each(cases)("%s", async (_, nodes, ranges, dimension, bound) => {
    const graph = smallGraph(nodes, dimension, constants);
    const [expected, got] = await Promise.all([run(graph), run(quantise(graph, ranges))]);
    const worst = expected.reduce((most, value, i) => Math.max(most, Math.abs(value - got[i]!)), 0);
    expect(worst).toBeLessThanOrEqual(bound);
    expect(worst).toBeGreaterThan(0);
  });
});

describe("the graph", () => {
  const nodes: ShortNode[] = [
    ["Relu", "picture", "in"],
    ["Conv", ["in", "w", "bias"], "sum"],
    ["Relu", "sum", "out"],
    ...flattened("out"),
  ];
  const graph = smallGraph(nodes, 160, constants);
  const operators = (ranges: Int8Ranges) =>
    fromBinary(ModelProtoSchema, writeOnnx(quantise(graph, ranges))).graph!.node.map(({ opType }) => opType);
  const pair = ["QuantizeLinear", "DequantizeLinear"];

  test("a Relu that its range replaces is left out, one whose range begins lower is not", () => {
    const weights = ["DequantizeLinear", "DequantizeLinear", "Conv"];
    expect(operators({ in: [0, 2], out: [0, 9] })).toEqual(
      ["Transpose", pair, weights, pair, "Transpose", "Flatten"].flat(),
    );
    expect(operators({ in: [-1, 2] })).toEqual(
      ["Transpose", "Relu", pair, weights, "Relu", "Transpose", "Flatten"].flat(),
    );
  });

  test("a convolution whose input stays float32 does too", () => {
    expect(operators({ out: [0, 9] })).toEqual(
      ["Transpose", "Relu", "Conv", pair, "Transpose", "Flatten"].flat(),
    );
  });

  test.each<[Int8Ranges, string]>([
    [{ nobody: [0, 1] }, 'int8 ranges: "nobody" is no tensor of this network'],
    [{ w: [0, 1] }, 'int8 ranges: "w" is no tensor of this network'],
    [{ last: [0, 1] }, 'int8 ranges: "last" is the output, which stays float32'],
  ])("%o is refused", (ranges, message) => {
    expect(() => quantise(graph, ranges)).toThrow(
      expect.objectContaining({ reason: "CONVERT_INVALID", message }),
    );
  });
});
