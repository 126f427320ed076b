import { describe, expect, test } from "vitest";
import type { KerasLayer, KerasTopology } from "../keras-format/keras-model.ts";
import { findFeatures, type Pooling } from "./find-features.ts";

const input: KerasLayer = {
  name: "in",
  className: "InputLayer",
  config: { batch_shape: [null, 8, 8, 3] },
  calls: [],
};

type Part = readonly [name: string, className: string, config?: Record<string, unknown>];

/** Layers one after the other, and what the model gives: the last, if nothing else is said. */
function chain(parts: readonly Part[], outputs: readonly string[] = [parts.at(-1)![0]]): KerasTopology {
  const layers = parts.map(([name, className, config = {}], index): KerasLayer => {
    const before = index === 0 ? "in" : parts[index - 1]![0];
    return { name, className, config, calls: [[{ layer: before, call: 0 }]] };
  });
  const sources = outputs.map((layer) => ({ layer, call: 0 }));
  return { name: "net", layers: [input, ...layers], outputs: sources };
}

const soft = { activation: "softmax" };
const conv: Part = ["conv", "Conv2D"];
const average: Part = ["gap", "GlobalAveragePooling2D"];

describe("where a network's features are", () => {
  test.each<[string, KerasTopology, [end: string, output: string, pooling: Pooling, why: string]]>([
    [
      "a network that ends in its pooling",
      chain([conv, average]),
      ["gap", "gap", "avg", "the model ends there"],
    ],
    ["a network without a top", chain([conv]), ["portico_pooling", "conv", "avg", "the model ends there"]],
    [
      "a classifier behind a pooling",
      chain([conv, ["gmp", "GlobalMaxPooling2D"], ["drop", "Dropout"], ["classes", "Dense", soft]]),
      ["gmp", "gmp", "max", 'its classifier "classes" is left out'],
    ],
    [
      "a classifier without an activation, by its name",
      chain([conv, average, ["model/logits", "Dense", { activation: "linear" }]]),
      ["gap", "gap", "avg", 'its classifier "model/logits" is left out'],
    ],
    [
      "a sigmoid for two classes behind a layer of the user's own",
      chain([conv, average, ["hidden", "Dense"], ["yes", "Dense", { activation: "sigmoid" }]]),
      ["gap", "gap", "avg", 'its classifier "yes" is left out'],
    ],
    [
      "VGG's top",
      chain([
        conv,
        ["pool", "MaxPooling2D"],
        ["flatten", "Flatten"],
        ["fc1", "Dense"],
        ["predictions", "Dense", soft],
      ]),
      [
        "portico_pooling",
        "pool",
        "avg",
        'its classifier "predictions" is left out, beginning with "flatten"',
      ],
    ],
    [
      "MobileNetV3's top of convolutions behind a pooling that keeps its axes",
      chain([
        conv,
        ["gap", "GlobalAveragePooling2D", { keepdims: true }],
        ["conv_2", "Conv2D"],
        ["logits", "Conv2D"],
        ["flatten", "Flatten"],
        ["predictions", "Activation", soft],
      ]),
      ["portico_pooling", "gap", "avg", 'its classifier "predictions" is left out'],
    ],
    [
      "a dense layer that is no classifier",
      chain([conv, average, ["embedding", "Dense", { activation: "linear" }]]),
      ["embedding", "embedding", "none", "the model ends there"],
    ],
    [
      "a reshaped vector",
      chain([conv, ["flat", "Reshape", { target_shape: [-1] }]]),
      ["flat", "flat", "none", "the model ends there"],
    ],
  ])("%s", (_, topology, [endLayer, outputLayer, pooling, why]) => {
    const found = findFeatures(topology, {});
    expect(found).toMatchObject({ endLayer, outputLayer, pooling, why: { output: why } });
  });

  test("a pooling that was added takes the picture", () => {
    const { topology } = findFeatures(chain([conv]), { pooling: "max" });
    expect(topology.layers.at(-1)).toEqual({
      name: "portico_pooling",
      className: "GlobalMaxPooling2D",
      config: { data_format: "channels_last", keepdims: false },
      calls: [[{ layer: "conv", call: 0 }]],
    });
  });

  test("a layer that is called twice ends the model where it is its output", () => {
    const calls = [[{ layer: "in", call: 0 }], [{ layer: "conv", call: 0 }]];
    const layers = [input, { name: "conv", className: "Conv2D", config: {}, calls }];
    const topology = { name: "net", layers, outputs: [{ layer: "conv", call: 1 }] };
    for (const wishes of [{}, { outputLayer: "conv" }]) {
      const found = findFeatures(topology, wishes).topology.layers.at(-1);
      expect(found).toMatchObject({ className: "GlobalAveragePooling2D", calls: [topology.outputs] });
    }
    expect(findFeatures(topology, { pooling: "none" }).endLayer).toBe("conv");
  });

  test("what is asked for comes first", () => {
    const topology = chain([conv, average, ["fc", "Dense"], ["classes", "Dense", soft]]);
    expect(findFeatures(topology, { outputLayer: "fc" })).toMatchObject({ endLayer: "fc", pooling: "none" });
    expect(findFeatures(topology, { outputLayer: "conv", pooling: "none" })).toMatchObject({
      ...{ endLayer: "conv", outputLayer: "conv", pooling: "none" },
      why: { output: "asked for", pooling: "asked for" },
    });
  });
});

describe("what does not follow is an error that names the flag", () => {
  const two = chain([conv, average], ["conv", "gap"]);
  const branch: KerasTopology = {
    ...chain([conv, ["classes", "Dense", soft]]),
    layers: [
      input,
      { ...chain([conv]).layers[1]!, calls: [[{ layer: "in", call: 0 }]] },
      {
        name: "classes",
        className: "Dense",
        config: soft,
        calls: [
          [
            { layer: "conv", call: 0 },
            { layer: "in", call: 0 },
          ],
        ],
      },
    ],
  };
  const calls = [[{ layer: "in", call: 0 }], [{ layer: "conv", call: 0 }]];
  const twice: KerasLayer = { name: "conv", className: "Conv2D", config: {}, calls };
  const top = chain([
    ["conv", "Conv2D"],
    ["flat", "Flatten"],
    ["classes", "Dense", soft],
  ]);
  const called: KerasTopology = {
    ...top,
    layers: [input, twice, { ...top.layers[2]!, calls: [[{ layer: "conv", call: 1 }]] }, top.layers[3]!],
  };
  test.each<[string, KerasTopology, Parameters<typeof findFeatures>[1], string]>([
    ["two outputs", two, {}, "the model has 2 outputs; name the layer of the vector with --output-layer"],
    [
      "a classifier on branches",
      branch,
      {},
      'the model ends in the classifier "classes", and nothing says where its features are; name their layer with --output-layer',
    ],
    [
      "an unknown layer",
      two,
      { outputLayer: "fc9" },
      "--output-layer fc9: the model has no such layer; its last are in, conv, gap",
    ],
    [
      "another pooling than the model's",
      chain([conv, average]),
      { pooling: "max" },
      '--pooling max: layer "gap" (GlobalAveragePooling2D) pools already; give what it takes as --output-layer conv',
    ],
    [
      "pooling of a vector",
      chain([conv, ["flat", "Flatten"]]),
      { pooling: "avg" },
      '--pooling avg: layer "flat" (Flatten) gives a vector; only a picture can be pooled',
    ],
    [
      "neither a picture nor a vector",
      chain([conv, ["tokens", "Reshape", { target_shape: [64, 8] }]]),
      {},
      'layer "tokens" (Reshape) gives neither a picture nor a vector; name a layer that does with --output-layer',
    ],
    [
      "a layer called several times",
      called,
      { pooling: "none" },
      'layer "conv" is called several times, and its call 1 is the output; name another layer with --output-layer',
    ],
  ])("%s", (_, topology, wishes, message) => {
    expect(() => findFeatures(topology, wishes)).toThrow(
      expect.objectContaining({ reason: "CONFIG_INVALID", message }),
    );
  });

  test("a circle ends", () => {
    const layers = [{ ...chain([conv]).layers[1]!, calls: [[{ layer: "conv", call: 0 }]] }];
    expect(() => findFeatures({ name: "net", layers, outputs: [{ layer: "conv", call: 0 }] }, {})).toThrow(
      'layer "conv" (Conv2D) gives neither a picture nor a vector; name a layer that does with --output-layer',
    );
  });
});
