import { fromBinary } from "@bufbuild/protobuf";
import { expect } from "vitest";
import { convertKeras } from "../src/convert/convert-keras.ts";
import type { WeightTensor } from "../src/convert/keras-format/keras-model.ts";
import { readTopology } from "../src/convert/keras-format/read-topology.ts";
import { EmbedError } from "../src/errors.ts";
import { ModelProtoSchema } from "../src/gen/onnx/onnx_pb.ts";

// Small Keras models for the tests of the converter, layer by layer; weights are zeros where values do not matter.

export type Config = Record<string, unknown>;
export type LayerJson = readonly [className: string, name: string, config: Config, ...inputs: string[]];

/** A Keras 2 topology; each layer is called once on the layers that it names. */
export function topologyJson(layers: readonly LayerJson[]) {
  return {
    class_name: "Functional",
    config: {
      name: "net",
      layers: layers.map(([class_name, name, config, ...inputs]) => ({
        class_name,
        name,
        config: { name, ...config },
        inbound_nodes: inputs.length === 0 ? [] : [inputs.map((input) => [input, 0, 0, {}])],
      })),
    },
  };
}

export const input: LayerJson = ["InputLayer", "in", { batch_input_shape: [null, 4, 6, 3] }];
export const zeros = (...shape: number[]): WeightTensor => ({
  shape,
  data: new Float32Array(shape.reduce((a, b) => a * b, 1)),
});

/** Converts up to the last layer. */
export function convert(
  layers: readonly LayerJson[],
  weights: Record<string, WeightTensor> = {},
  inputShape = [4, 6, 3],
) {
  const topology = readTopology(topologyJson(layers));
  const outputLayer = layers.at(-1)![1];
  return convertKeras({ topology, weights: new Map(Object.entries(weights)) }, { outputLayer, inputShape });
}

export const operatorsOf = (onnx: Uint8Array) =>
  fromBinary(ModelProtoSchema, onnx).graph!.node.map((node) => node.opType);

export function failureOf(work: () => unknown): { reason: string; message: string } | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    expect(error).toBeInstanceOf(EmbedError);
    const { reason, message } = error as EmbedError;
    return { reason, message };
  }
}

export const convConfig = {
  filters: 2,
  kernel_size: [3, 3],
  strides: [1, 1],
  padding: "valid",
  data_format: "channels_last",
  dilation_rate: [1, 1],
  activation: "linear",
  use_bias: true,
};
export const conv = (change: Config = {}): LayerJson => [
  "Conv2D",
  "conv",
  { ...convConfig, ...change },
  "in",
];
export const convWeights = { "conv/kernel": zeros(3, 3, 3, 2), "conv/bias": zeros(2) };
export const poolConfig = {
  pool_size: [2, 2],
  strides: [2, 2],
  padding: "valid",
  data_format: "channels_last",
};
export const pool = (change: Config = {}): LayerJson => [
  "MaxPooling2D",
  "pool",
  { ...poolConfig, ...change },
  "in",
];
export const batchNorm = (change: Config = {}): LayerJson => [
  "BatchNormalization",
  "bn",
  { axis: [3], ...change },
  "in",
];
export const dense = (change: Config = {}, from = "flat"): LayerJson => [
  "Dense",
  "dense",
  { units: 5, ...change },
  from,
];
export const flat: LayerJson = ["Flatten", "flat", {}, "in"];
