import { readFileSync } from "node:fs";
import type { KerasLayer, KerasModel, WeightTensor } from "../src/convert/keras-format/keras-model.ts";
import { readTopology } from "../src/convert/keras-format/read-topology.ts";

/** The Keras topology of ResNet50, as JSON. */
export const resNet50Topology: unknown = JSON.parse(
  readFileSync(new URL("../models/resnet50/topology.json", import.meta.url), "utf8"),
);

/** The whole of ResNet50 with small made-up weights: its structure, shapes and size, without a download. */
export function createLightResNet50(): KerasModel {
  const topology = readTopology(resNet50Topology);
  // Values in (0, 0.02), the same each time; every weight is a piece of them.
  const values = Float32Array.from(
    { length: 3 * 3 * 512 * 512 },
    (_, i) => (((i * 7919) % 1000) + 1) / 50_000,
  );
  const weights = new Map<string, WeightTensor>();
  const channels = new Map<string, number>();
  const add = (layer: KerasLayer, variable: string, ...shape: number[]) => {
    const count = shape.reduce((a, b) => a * b, 1);
    weights.set(`${layer.name}/${variable}`, { shape, data: values.subarray(0, count) });
  };
  for (const layer of topology.layers) {
    const inputs = layer.calls[0]?.map((source) => channels.get(source.layer)!) ?? [3];
    const filters = (layer.config.filters ?? layer.config.units ?? inputs[0]) as number;
    channels.set(layer.name, filters);
    if (layer.className === "Conv2D") {
      add(layer, "kernel", ...(layer.config.kernel_size as [number, number]), inputs[0]!, filters);
      add(layer, "bias", filters);
    }
    if (layer.className === "BatchNormalization") {
      for (const variable of ["gamma", "beta", "moving_mean", "moving_variance"])
        add(layer, variable, filters);
    }
    if (layer.className === "Dense") {
      add(layer, "kernel", inputs[0]!, filters);
      add(layer, "bias", filters);
    }
  }
  return { topology, weights };
}
