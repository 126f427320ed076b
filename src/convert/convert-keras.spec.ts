import { fromBinary } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { EmbedError } from "../errors.ts";
import { ModelProtoSchema } from "../gen/onnx/onnx_pb.ts";
import { convertKeras } from "./convert-keras.ts";
import type { WeightTensor } from "./keras-format/keras-model.ts";
import { readTopology } from "./keras-format/read-topology.ts";

type Config = Record<string, unknown>;
type LayerJson = readonly [className: string, name: string, config: Config, ...inputs: string[]];

/** A Keras 2 topology; each layer is called once on the layers that it names. */
function topologyJson(layers: readonly LayerJson[]) {
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

const input: LayerJson = ["InputLayer", "in", { batch_input_shape: [null, 4, 6, 3] }];
const zeros = (...shape: number[]): WeightTensor => ({
  shape,
  data: new Float32Array(shape.reduce((a, b) => a * b, 1)),
});

/** Converts up to the last layer. */
function convert(
  layers: readonly LayerJson[],
  weights: Record<string, WeightTensor> = {},
  inputShape = [4, 6, 3],
) {
  const topology = readTopology(topologyJson(layers));
  const outputLayer = layers.at(-1)![1];
  return convertKeras({ topology, weights: new Map(Object.entries(weights)) }, { outputLayer, inputShape });
}

const operatorsOf = (onnx: Uint8Array) =>
  fromBinary(ModelProtoSchema, onnx).graph!.node.map((node) => node.opType);

function failureOf(work: () => unknown): { reason: string; message: string } | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    expect(error).toBeInstanceOf(EmbedError);
    const { reason, message } = error as EmbedError;
    return { reason, message };
  }
}

const convConfig = {
  filters: 2,
  kernel_size: [3, 3],
  strides: [1, 1],
  padding: "valid",
  data_format: "channels_last",
  dilation_rate: [1, 1],
  activation: "linear",
  use_bias: true,
};
const conv = (change: Config = {}): LayerJson => ["Conv2D", "conv", { ...convConfig, ...change }, "in"];
const convWeights = { "conv/kernel": zeros(3, 3, 3, 2), "conv/bias": zeros(2) };
const poolConfig = { pool_size: [2, 2], strides: [2, 2], padding: "valid", data_format: "channels_last" };
const pool = (change: Config = {}): LayerJson => ["MaxPooling2D", "pool", { ...poolConfig, ...change }, "in"];
const batchNorm = (change: Config = {}): LayerJson => [
  "BatchNormalization",
  "bn",
  { axis: [3], ...change },
  "in",
];
const dense = (change: Config = {}, from = "flat"): LayerJson => [
  "Dense",
  "dense",
  { units: 5, ...change },
  from,
];
const flat: LayerJson = ["Flatten", "flat", {}, "in"];

describe("what the converter lacks is named with layer, class and setting", () => {
  test.each<[string, LayerJson[], string]>([
    [
      "an unknown layer",
      [["Lambda", "code", {}, "in"]],
      'layer "code" (Lambda): this layer class cannot be converted; known classes: Activation, Add, AveragePooling2D, BatchNormalization, Concatenate, Conv2D, Dense, Dropout, Flatten, GlobalAveragePooling2D, GlobalMaxPooling2D, MaxPooling2D, ReLU, ZeroPadding2D',
    ],
    [
      "an inherited name is no layer",
      [["constructor", "x", {}, "in"]],
      'layer "x" (constructor): this layer class',
    ],
    [
      "dilation with strides",
      [conv({ dilation_rate: [2, 2], strides: [2, 2] })],
      'layer "conv" (Conv2D): dilation_rate is (2, 2) with strides (2, 2); one of them must be (1, 1)',
    ],
    [
      "channels first",
      [conv({ data_format: "channels_first" })],
      'layer "conv" (Conv2D): data_format is "channels_first"; only "channels_last" is supported',
    ],
    ["groups", [conv({ groups: 3 })], 'layer "conv" (Conv2D): groups is 3; only 1 is supported'],
    [
      "channels first in a pool",
      [pool({ data_format: "channels_first" })],
      'layer "pool" (MaxPooling2D): data_format is "channels_first"; only "channels_last" is supported',
    ],
    [
      "an unknown padding",
      [pool({ padding: "causal" })],
      'layer "pool" (MaxPooling2D): padding is "causal"; supported: "valid", "same"',
    ],
    [
      "an unknown activation",
      [["Activation", "act", { activation: "mish" }, "in"]],
      'layer "act" (Activation): activation is "mish"; supported: linear, relu, relu6, sigmoid, tanh, softmax, elu, selu, softplus, softsign, swish, silu',
    ],
    [
      "an activation of one's own",
      [["Activation", "act", { activation: { class_name: "Mine" } }, "in"]],
      'layer "act" (Activation): activation is {"class_name":"Mine"}; supported: ',
    ],
    [
      "another axis",
      [batchNorm({ axis: [1] })],
      'layer "bn" (BatchNormalization): axis is [1]; only the last axis (3) is supported',
    ],
    [
      "a pool that keeps its dimensions",
      [["GlobalAveragePooling2D", "avg", { keepdims: true }, "in"]],
      'layer "avg" (GlobalAveragePooling2D): keepdims is true; only false is supported',
    ],
    [
      "a threshold",
      [["ReLU", "relu", { threshold: 1 }, "in"]],
      'layer "relu" (ReLU): threshold is 1; only 0 is supported',
    ],
    [
      "a leak with a cut",
      [["ReLU", "relu", { negative_slope: 0.1, max_value: 6 }, "in"]],
      'layer "relu" (ReLU): max_value with negative_slope; only one of them is supported',
    ],
    [
      "Dense on pictures",
      [dense({}, "in")],
      'layer "dense" (Dense): takes shape (4, 6, 3); expected (dimension,)',
    ],
    [
      "a pool on vectors",
      [flat, ["MaxPooling2D", "pool", poolConfig, "flat"]],
      "takes shape (72,); expected (height, width, channels)",
    ],
    [
      "Add of two shapes",
      [pool(), ["Add", "add", {}, "in", "pool"]],
      'layer "add" (Add): adds shapes (4, 6, 3) and (2, 3, 3); expected equal shapes',
    ],
    ["Add of one", [["Add", "add", {}, "in"]], 'layer "add" (Add): takes 1 input; expected at least 2'],
    [
      "two inputs for a layer of one",
      [["Flatten", "flat", {}, "in", "in"]],
      'layer "flat" (Flatten): takes 2 inputs; expected 1',
    ],
    [
      "two input layers",
      [
        ["InputLayer", "in2", { batch_input_shape: [null, 4, 6, 3] }],
        ["Add", "add", {}, "in", "in2"],
      ],
      'layer "in2" (InputLayer): is a second input beside "in"; expected one',
    ],
  ])("%s", (_what, layers, message) => {
    const failure = failureOf(() => convert([input, ...layers], convWeights));
    expect(failure?.reason).toBe("CONVERT_UNSUPPORTED_LAYER");
    expect(failure?.message).toContain(message);
  });

  test.each<[number[], string]>([
    [[4, 6], "it does not take (4, 6)"],
    [[4, 7, 3], "it does not take (4, 7, 3)"],
  ])("another input shape: %j", (shape, message) => {
    const failure = failureOf(() => convert([input, flat], {}, shape));
    expect(failure?.reason).toBe("CONVERT_UNSUPPORTED_LAYER");
    expect(failure?.message).toBe(`layer "in" (InputLayer): batch_input_shape is [null,4,6,3]; ${message}`);
  });

  test("an input of rank 5", () => {
    const video: LayerJson = ["InputLayer", "in", { batch_input_shape: [null, 9, 4, 6, 3] }];
    expect(failureOf(() => convert([video, flat]))).toEqual({
      reason: "CONVERT_UNSUPPORTED_LAYER",
      message:
        'layer "in" (InputLayer): batch_input_shape is [null,9,4,6,3]; expected (batch, height, width, channels) or (batch, dimension)',
    });
  });
});

describe("a model that contradicts itself is refused", () => {
  test.each<[string, LayerJson[], Record<string, WeightTensor>, string]>([
    [
      "a missing weight",
      [conv()],
      { "conv/kernel": zeros(3, 3, 3, 2) },
      'weight "conv/bias" is missing; expected shape (2,)',
    ],
    [
      "a misshapen weight",
      [conv()],
      { ...convWeights, "conv/kernel": zeros(3, 3, 2, 3) },
      'weight "conv/kernel": expected shape (3, 3, 3, 2), got (3, 3, 2, 3)',
    ],
    [
      "a weight of another length than its shape",
      [conv()],
      { ...convWeights, "conv/bias": { shape: [2], data: new Float32Array(3) } },
      'weight "conv/bias": expected 2 values, got 3',
    ],
    [
      "a weight left over",
      [conv({ use_bias: false })],
      convWeights,
      'weight "conv/bias" is not one of layer "conv" (Conv2D); expected kernel',
    ],
    [
      "a weight of a layer without any",
      [flat],
      { "flat/kernel": zeros(1) },
      'weight "flat/kernel" is not one of layer "flat" (Flatten); expected no weights',
    ],
    [
      "a window that does not fit",
      [conv({ kernel_size: [5, 5] })],
      { "conv/kernel": zeros(5, 5, 3, 2), "conv/bias": zeros(2) },
      'layer "conv" (Conv2D): its output would be (0, 2, 2); the input is too small',
    ],
    [
      "a setting of the wrong type",
      [conv({ filters: "many" })],
      convWeights,
      'layer "conv" (Conv2D): expected filters to be a whole number from 1, got "many"',
    ],
    [
      "strides of zero",
      [pool({ strides: [0, 1] })],
      {},
      'layer "pool" (MaxPooling2D): expected strides to be two whole numbers from 1, got [0,1]',
    ],
    [
      "margins of the wrong form",
      [["ZeroPadding2D", "pad", { padding: [1, 1] }, "in"]],
      {},
      'layer "pad" (ZeroPadding2D): expected padding to be ((top, bottom), (left, right)), got [1,1]',
    ],
    [
      "an epsilon that is no number",
      [batchNorm({ epsilon: "small", scale: false, center: false })],
      { "bn/moving_mean": zeros(3), "bn/moving_variance": zeros(3) },
      'layer "bn" (BatchNormalization): expected epsilon to be a number, got "small"',
    ],
    [
      "Concatenate of two heights",
      [pool(), ["Concatenate", "cat", { axis: -1 }, "in", "pool"]],
      {},
      'layer "cat" (Concatenate): takes shapes (4, 6, 3) and (2, 3, 3); expected them to differ in the last axis only',
    ],
    [
      "a layer that is not there",
      [["Flatten", "flat", {}, "gone"]],
      {},
      'topology: there is no layer "gone"',
    ],
    ["two layers of one name", [flat, flat], {}, 'topology: two layers are named "flat"'],
    [
      "a circle",
      [
        ["Add", "one", {}, "in", "two"],
        ["Add", "two", {}, "in", "one"],
      ],
      {},
      'layer "two" depends on itself',
    ],
    ["a layer on nothing", [["Flatten", "flat", {}]], {}, 'layer "flat" (Flatten) has no call 0 with inputs'],
  ])("%s", (_what, layers, weights, message) => {
    expect(failureOf(() => convert([input, ...layers], weights))).toEqual({
      reason: "CONVERT_INVALID",
      message,
    });
  });
});

describe("topologies that cannot be read", () => {
  test.each<[string, unknown, string]>([
    ["no object", 7, "topology: expected an object with class_name and config, got 7"],
    [
      "a sequential model",
      { class_name: "Sequential", config: { layers: [] } },
      'topology: expected a model of class Model or Functional, got "Sequential"',
    ],
    ["no layers", { class_name: "Model", config: {} }, "topology: expected a list of layers, got undefined"],
    [
      "a layer without a class",
      { class_name: "Model", config: { layers: [{}] } },
      "topology: expected layer 0 to have class_name and config, got {}",
    ],
    [
      "a layer without a name",
      { class_name: "Model", config: { layers: [{ class_name: "Add", config: {} }] } },
      "topology: expected layer 0 to have a name, got undefined",
    ],
    [
      "a call in another form",
      {
        class_name: "Model",
        config: { layers: [{ class_name: "Add", name: "a", config: {}, inbound_nodes: [{ args: [] }] }] },
      },
      'inbound_nodes of layer "a": expected calls of [layer, call, tensor, arguments], got {"args":[]}',
    ],
    [
      "a second output of a layer",
      {
        class_name: "Model",
        config: {
          layers: [{ class_name: "Add", name: "a", config: {}, inbound_nodes: [[["b", 0, 1, {}]]] }],
        },
      },
      'layer "a" takes output 1 of "b"; expected layers with one output',
    ],
  ])("%s", (_what, json, message) => {
    expect(failureOf(() => readTopology(json))).toEqual({ reason: "CONVERT_INVALID", message });
  });
});

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
  // The first is folded: 1 / sqrt(3 + 1).
  expect(convs.map((node) => firstValueOf(node.input[1]!))).toEqual([0.5, 2, 3, 1]);
  expect(new Set(graph!.node.map((node) => node.output[0])).size).toBe(graph!.node.length);
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
