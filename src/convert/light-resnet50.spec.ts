import { readFileSync } from "node:fs";
import { fromBinary } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { createLightResNet50 } from "../../tools/light-resnet50.ts";
import { ModelProtoSchema } from "../gen/onnx/onnx_pb.ts";
import { convertKeras } from "./convert-keras.ts";

// The whole of ResNet50 with small made-up weights: its structure and shapes, without a download.

const manifest = JSON.parse(
  readFileSync(new URL("../../models/resnet50/manifest.json", import.meta.url), "utf8"),
);

describe("ResNet50 with light weights", () => {
  const light = createLightResNet50();
  const converted = convertKeras(light, { outputLayer: "avg_pool", inputShape: [224, 224, 3] });
  const { graph, opsetImport, irVersion } = fromBinary(ModelProtoSchema, converted.onnx);

  test("all weights but the classifier's are used", () => {
    expect(light.weights.size).toBe(320);
    expect(converted.usedWeights).toHaveLength(318);
    expect(converted.usedWeights).not.toContain("fc1000/kernel");
    expect(new Set(converted.usedWeights).size).toBe(318);
  });

  test("it has the size of the real one, to the byte", () => {
    expect(converted.onnx.byteLength).toBe(manifest.onnx.bytes);
  });

  test("normalisations and paddings are folded away", () => {
    const counts = Object.groupBy(graph!.node, (node) => node.opType);
    expect(Object.fromEntries(Object.entries(counts).map(([op, nodes]) => [op, nodes!.length]))).toEqual({
      Transpose: 1,
      Conv: 53,
      Relu: 49,
      MaxPool: 1,
      Add: 16,
      GlobalAveragePool: 1,
      Flatten: 1,
    });
    const padsOf = (name: string) =>
      graph!.node
        .find((node) => node.name.startsWith(name))!
        .attribute.find((one) => one.name === "pads")!
        .ints.map(Number);
    expect(padsOf("bn_conv1/")).toEqual([3, 3, 3, 3]);
    expect(padsOf("max_pooling2d/")).toEqual([1, 1, 1, 1]);
  });

  test("each convolution has a kernel and a bias, and nothing else is kept", () => {
    expect(graph!.initializer).toHaveLength(2 * 53);
    const floats = graph!.initializer.reduce((sum, one) => sum + one.rawData.byteLength / 4, 0);
    // Kernels, and one bias for each filter.
    expect(floats).toBe(23_454_912 + 26_560);
  });

  test("pictures in, vectors out, any number of them", () => {
    const shapeOf = (type: (typeof graph & object)["input"][number]["type"]) => {
      const value = type!.value;
      return value.case === "tensorType" ? value.value.shape!.dim.map((dim) => dim.value.value) : undefined;
    };
    expect(graph!.input.map((one) => [one.name, shapeOf(one.type)])).toEqual([
      ["input", ["N", 224n, 224n, 3n]],
    ]);
    expect(graph!.output.map((one) => shapeOf(one.type))).toEqual([["N", 2048n]]);
    expect([irVersion, opsetImport.map((one) => [one.domain, one.version])]).toEqual([7n, [["", 13n]]]);
  });
});
