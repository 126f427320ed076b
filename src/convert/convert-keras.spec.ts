import { fromBinary } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import {
  conv,
  convConfig,
  convert,
  dense,
  flat,
  input,
  type LayerJson,
  operatorsOf,
  poolConfig,
  topologyJson,
  zeros,
} from "../../tools/keras-layers.ts";
import { ModelProtoSchema } from "../gen/onnx/onnx_pb.ts";
import { convertKeras } from "./convert-keras.ts";
import { readTopology } from "./keras-format/read-topology.ts";

/** The float32 tensors of a model, in its own order. */
const floatsOf = (onnx: Uint8Array) =>
  fromBinary(ModelProtoSchema, onnx).graph!.initializer.map(
    ({ rawData }) => new Float32Array(rawData.slice().buffer),
  );

describe("what is folded", () => {
  const pad: LayerJson = [
    "ZeroPadding2D",
    "pad",
    {
      padding: [
        [1, 1],
        [1, 1],
      ],
    },
    "in",
  ];
  const maxPool = (from: string): LayerJson => [
    "MaxPooling2D",
    "pool",
    { ...poolConfig, pool_size: [3, 3] },
    from,
  ];
  const end: LayerJson = ["GlobalMaxPooling2D", "max", {}, "pool"];

  test("padding before a max pool stays if values may be negative", () => {
    const { onnx } = convert([input, pad, maxPool("pad"), end]);
    expect(operatorsOf(onnx)).toEqual(["Transpose", "Pad", "MaxPool", "GlobalMaxPool", "Flatten"]);
  });

  test("padding between a relu and a max pool goes", () => {
    const relu: LayerJson = ["ReLU", "relu", {}, "in"];
    const padAfter: LayerJson = [pad[0], pad[1], pad[2], "relu"];
    const { onnx } = convert([input, relu, padAfter, maxPool("pad"), end]);
    expect(operatorsOf(onnx)).toEqual(["Transpose", "Relu", "MaxPool", "GlobalMaxPool", "Flatten"]);
  });

  test("padding as wide as the kernel stays, for a window may lie in it alone", () => {
    const relu: LayerJson = ["ReLU", "relu", {}, "in"];
    const wide: LayerJson = [
      "ZeroPadding2D",
      "pad",
      {
        padding: [
          [3, 0],
          [0, 0],
        ],
      },
      "relu",
    ];
    const { onnx } = convert([input, relu, wide, maxPool("pad"), end]);
    expect(operatorsOf(onnx)).toContain("Pad");
  });

  test("a scale behind a convolution goes into it, and numbers that are added", () => {
    const rescale: LayerJson = ["Rescaling", "rescale", { scale: 2, offset: -1 }, "conv"];
    const weights = {
      "conv/kernel": { shape: [3, 3, 3, 2], data: new Float32Array(54).fill(3) },
      "conv/bias": { shape: [2], data: Float32Array.of(5, 7) },
    };
    const { onnx } = convert([input, conv(), rescale], weights);
    expect(operatorsOf(onnx)).toEqual(["Transpose", "Conv", "Transpose", "Flatten"]);
    expect(floatsOf(onnx)).toEqual([new Float32Array(54).fill(6), Float32Array.of(9, 13)]);
  });

  test("a variance of nothing is held to what Keras holds it to", () => {
    const norm: LayerJson = ["Normalization", "norm", { mean: 3, variance: [0, 1e-20, 4] }, "in"];
    const [scale, shift] = floatsOf(convert([input, norm]).onnx);
    expect(scale).toEqual(Float32Array.of(1e7, 1e7, 0.5));
    expect(shift).toEqual(Float32Array.of(-3e7, -3e7, -1.5));
  });

  test("an output layer in the middle leaves out what is behind it, its weights included", () => {
    const topology = readTopology(topologyJson([input, flat, dense()]));
    const { onnx, usedWeights, dimension } = convertKeras(
      { topology, weights: new Map() },
      { outputLayer: "flat", inputShape: [4, 6, 3] },
    );
    expect(operatorsOf(onnx)).toEqual(["Transpose", "Transpose", "Flatten"]);
    expect([usedWeights, dimension]).toEqual([[], 72]);
  });

  test("an open height and width take what is asked for", () => {
    const open: LayerJson = ["InputLayer", "in", { batch_input_shape: [null, null, null, 3] }];
    expect(convert([open, flat], {}, [8, 5, 3]).dimension).toBe(120);
  });
});

test.each<[string, LayerJson, bigint, bigint]>([
  ["what nearly all networks need", ["ReLU", "last", {}, "in"], 13n, 7n],
  ["a layer normalisation", ["LayerNormalization", "last", { scale: false, center: false }, "in"], 17n, 8n],
  ["gelu", ["Activation", "last", { activation: "gelu" }, "in"], 20n, 9n],
])("the oldest opset that has %s", (_what, last, opset, ir) => {
  const { opsetImport, irVersion } = fromBinary(ModelProtoSchema, convert([input, last]).onnx);
  expect([opsetImport.map(({ version }) => version), irVersion]).toEqual([[opset], ir]);
});

describe("an output that is still a picture", () => {
  const last = ["Transpose", "Relu"];
  const relu: LayerJson = ["ReLU", "relu", {}, "in"];
  test.each([
    [undefined, [...last, "Transpose", "Flatten"], 72],
    ["none", [...last, "Transpose", "Flatten"], 72],
    ["avg", [...last, "GlobalAveragePool", "Flatten"], 3],
    ["max", [...last, "GlobalMaxPool", "Flatten"], 3],
  ] as const)("pooling %s", (pooling, operators, dimension) => {
    const topology = readTopology(topologyJson([input, relu]));
    const options = { outputLayer: "relu", inputShape: [4, 6, 3], ...(pooling && { pooling }) };
    const converted = convertKeras({ topology, weights: new Map() }, options);
    expect([operatorsOf(converted.onnx), converted.dimension]).toEqual([operators, dimension]);
  });

  test("a vector stays as it is", () => {
    const topology = readTopology(topologyJson([input, flat]));
    const options = { outputLayer: "flat", inputShape: [4, 6, 3], pooling: "avg" } as const;
    const { onnx, dimension } = convertKeras({ topology, weights: new Map() }, options);
    expect([operatorsOf(onnx), dimension]).toEqual([["Transpose", "Transpose", "Flatten"], 72]);
  });
});

test("layers that are named like others' nodes and calls are not mixed up", () => {
  const one = (name: string, from: string): LayerJson => [
    "Conv2D",
    name,
    { ...convConfig, filters: 3, kernel_size: [1, 1], use_bias: false },
    from,
  ];
  const layers: LayerJson[] = [
    input,
    one("a", "in"),
    ["BatchNormalization", "bn", { axis: [3], scale: false, center: false, epsilon: 1 }, "a"],
    one("a/Conv", "bn"),
    one("a:1", "a/Conv"),
  ];
  const json = topologyJson(layers);
  // Called a second time, at the very end: its call is named like the layer a:1.
  json.config.layers[1]!.inbound_nodes = [[["in", 0, 0, {}]], [["a:1", 0, 0, {}]]];
  json.config.layers.push(...topologyJson([["Flatten", "flat", {}, "a"]]).config.layers);
  json.config.layers.at(-1)!.inbound_nodes = [[["a", 1, 0, {}]]];
  const kernel = (value: number) => ({ shape: [1, 1, 3, 3], data: new Float32Array(9).fill(value) });
  const weights = new Map([
    ["a/kernel", kernel(1)],
    ["bn/moving_mean", zeros(3)],
    ["bn/moving_variance", { shape: [3], data: new Float32Array(3).fill(3) }],
    ["a/Conv/kernel", kernel(2)],
    ["a:1/kernel", kernel(3)],
  ]);
  const options = { outputLayer: "flat", inputShape: [4, 6, 3] };
  const { graph } = fromBinary(
    ModelProtoSchema,
    convertKeras({ topology: readTopology(json), weights }, options).onnx,
  );
  const firstValueOf = (name: string) =>
    new DataView(
      graph!.initializer.find((tensor) => tensor.name === name)!.rawData.slice().buffer,
    ).getFloat32(0, true);
  const convs = graph!.node.filter((node) => node.opType === "Conv");
  // The first is not folded, since it is called again.
  expect(convs.map((node) => firstValueOf(node.input[1]!))).toEqual([1, 2, 3, 1]);
  expect(new Set(graph!.node.map((node) => node.output[0])).size).toBe(graph!.node.length);
});

test.each([
  [undefined, ["in/Transpose", "relu/Relu"]],
  [[["relu", 0, 0]], ["in/Transpose", "relu/Relu"]],
  [[["relu", 1, 0]], ["in/Transpose", "tanh/Tanh", "relu:1/Relu"]],
])("the output is the call that the model says: %j", (outputs, names) => {
  const json = topologyJson([
    input,
    ["ReLU", "relu", {}, "in"],
    ["Activation", "tanh", { activation: "tanh" }, "in"],
  ]);
  json.config.layers[1]!.inbound_nodes = [[["in", 0, 0, {}]], [["tanh", 0, 0, {}]]];
  const topology = readTopology({ ...json, config: { ...json.config, output_layers: outputs } });
  const options = { outputLayer: "relu", inputShape: [4, 6, 3] };
  const { onnx } = convertKeras({ topology, weights: new Map() }, options);
  const { graph } = fromBinary(ModelProtoSchema, onnx);
  expect(graph!.node.map(({ name }) => name)).toEqual([...names, "output/Transpose", "output/Flatten"]);
});

test("a layer that is called twice keeps one copy of its weights", () => {
  const json = topologyJson([input, conv({ kernel_size: [1, 1], filters: 3 }), ["Add", "add", {}, "conv"]]);
  const [, shared, add] = json.config.layers;
  shared!.inbound_nodes = [[["in", 0, 0, {}]], [["conv", 0, 0, {}]]];
  add!.inbound_nodes = [
    [
      ["conv", 0, 0, {}],
      ["conv", 1, 0, {}],
    ],
  ];
  const weights = new Map([
    ["conv/kernel", zeros(1, 1, 3, 3)],
    ["conv/bias", zeros(3)],
  ]);
  const { onnx, usedWeights } = convertKeras(
    { topology: readTopology(json), weights },
    { outputLayer: "add", inputShape: [4, 6, 3] },
  );
  const { graph } = fromBinary(ModelProtoSchema, onnx);
  expect(graph!.initializer.map((one) => one.name)).toEqual(["conv/kernel", "conv/bias"]);
  expect(graph!.node.map((node) => node.name)).toEqual([
    "in/Transpose",
    "conv/Conv",
    "conv:1/Conv",
    "add/Add",
    "output/Transpose",
    "output/Flatten",
  ]);
  expect(usedWeights).toEqual(["conv/kernel", "conv/bias"]);
});
