import { create } from "@bufbuild/protobuf";
import * as ort from "onnxruntime-web";
import { beforeAll, describe, expect, test } from "vitest";
import {
  channels,
  converted,
  exported,
  floats,
  golden,
  height,
  info,
  turnOutput,
  width,
} from "../../../tools/exported-onnx.ts";
import { GraphProtoSchema } from "../../gen/onnx/onnx_pb.ts";
import { readOnnxModel } from "./read-onnx-model.ts";

async function run(onnx: Uint8Array): Promise<{ dims: readonly number[]; values: Float32Array }> {
  const session = await ort.InferenceSession.create(onnx);
  const input = new ort.Tensor("float32", floats(golden.input.values), golden.input.shape);
  const output = (await session.run({ [session.inputNames[0]!]: input }))[session.outputNames[0]!]!;
  await session.release();
  return { dims: output.dims, values: output.data as Float32Array };
}

/** (height, width, channels) as Keras gives it, per channel. */
const byChannel = Array.from({ length: channels }, (_, channel) =>
  floats(golden.output.values).filter((_value, i) => i % channels === channel),
);
const pooled = {
  avg: byChannel.map((values) => values.reduce((a, b) => a + b, 0) / values.length),
  max: byChannel.map((values) => Math.max(...values)),
};

function expectClose(got: Float32Array, expected: readonly number[]) {
  expect(got.length).toBe(expected.length);
  const differences = expected.map((value, i) => Math.abs(value - got[i]!));
  expect(Math.max(...differences)).toBeLessThanOrEqual(golden.tolerance);
}

beforeAll(() => {
  ort.env.wasm.numThreads = 1;
});

describe("pictures in, a vector out, whatever the model's own form", () => {
  test.each(["NCHW", "NHWC"] as const)("%s, pooled", async (layout) => {
    for (const pooling of ["avg", "max"] as const) {
      const model = readOnnxModel(exported({ layout }), { pooling });
      expect({ ...model, onnx: undefined }).toEqual({
        onnx: undefined,
        pooling,
        output: expect.any(String),
        inputShape: [8, 8, 3],
        dimension: channels,
        layout,
        isBatchFree: true,
      });
      const { dims, values } = await run(model.onnx);
      expect(dims).toEqual([1, channels]);
      expectClose(values, pooled[pooling]);
    }
  });

  test("in by channels first, out by channels last, as tf2onnx exports it", async () => {
    const bytes = exported({
      output: ["N", height, width, channels],
      change: (graph) => turnOutput(graph, [0, 2, 3, 1]),
    });
    const model = readOnnxModel(bytes, { pooling: "avg" });
    expect([model.layout, model.dimension]).toEqual(["NCHW", channels]);
    expectClose((await run(model.onnx)).values, pooled.avg);
  });

  test("flattened as it is", async () => {
    const first = await run(readOnnxModel(exported(), { pooling: "none" }).onnx);
    expectClose(
      first.values,
      byChannel.flatMap((values) => [...values]),
    );
    const last = await run(readOnnxModel(exported({ layout: "NHWC" }), { pooling: "none" }).onnx);
    expectClose(last.values, [...floats(golden.output.values)]);
  });

  test("what is not said is a picture's mean, or a vector as it is", async () => {
    const model = readOnnxModel(exported(), {});
    expect(model.pooling).toBe("avg");
    expectClose((await run(model.onnx)).values, pooled.avg);
    expect(readOnnxModel(converted.onnx, {}).pooling).toBe("none");
  });

  test("a vector already", async () => {
    const model = readOnnxModel(converted.onnx, { pooling: "none" });
    expect(model.dimension).toBe(converted.dimension);
    expectClose((await run(model.onnx)).values, [...floats(golden.output.values)]);
  });

  test("open height and width", async () => {
    const bytes = exported({ input: ["N", 3, "h", "w"], output: ["N", channels, "y", "x"] });
    const model = readOnnxModel(bytes, { pooling: "avg", size: [8, 8] });
    expect(model.inputShape).toEqual([8, 8, 3]);
    expectClose((await run(model.onnx)).values, pooled.avg);
  });

  test("one picture at a time", async () => {
    const model = readOnnxModel(exported({ input: [1, 3, 8, 8], output: [1, channels, height, width] }), {
      pooling: "avg",
    });
    expect(model.isBatchFree).toBe(false);
    expectClose((await run(model.onnx)).values, pooled.avg);
  });

  test("weights that are inputs too, as old exporters list them", async () => {
    const bytes = exported({
      change: (graph) => {
        const listed = graph.initializer.map((tensor) => info(tensor.name, tensor.dims.map(Number)));
        graph.input = create(GraphProtoSchema, { input: [...listed, info("pixels", ["N", 3, 8, 8])] }).input;
      },
    });
    expectClose((await run(readOnnxModel(bytes, { pooling: "avg" }).onnx)).values, pooled.avg);
  });

  test("the same bytes each time", () => {
    const [one, two] = [
      readOnnxModel(exported(), { pooling: "avg" }),
      readOnnxModel(exported(), { pooling: "avg" }),
    ];
    expect(Buffer.compare(one.onnx, two.onnx)).toBe(0);
  });
});
