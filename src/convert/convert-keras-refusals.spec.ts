import { describe, expect, test } from "vitest";
import {
  batchNorm,
  conv,
  convert,
  convWeights,
  dense,
  failureOf,
  flat,
  input,
  type LayerJson,
  pool,
  poolConfig,
  zeros,
} from "../../tools/keras-layers.ts";
import type { WeightTensor } from "./keras-format/keras-model.ts";
import { readTopology } from "./keras-format/read-topology.ts";

describe("what the converter lacks is named with layer, class and setting", () => {
  test.each<[string, LayerJson[], string]>([
    [
      "an unknown layer",
      [["Resizing", "size", {}, "in"]],
      'layer "size" (Resizing): this layer class cannot be converted; known classes: Activation, Add, AveragePooling2D, BatchNormalization, Concatenate, Conv2D, Dense, Dropout, Flatten, GlobalAveragePooling2D, GlobalMaxPooling2D, MaxPooling2D, ReLU, ZeroPadding2D',
    ],
    [
      "Python code",
      [["Lambda", "code", {}, "in"]],
      'layer "code" (Lambda): holds Python code, which is never run',
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

describe("a model that claims much and has little is refused before memory is taken", () => {
  test("channels that double with each layer", () => {
    const doubled = Array.from(
      { length: 40 },
      (_, i): LayerJson => [
        "Concatenate",
        `c${i + 1}`,
        { axis: -1 },
        i === 0 ? "in" : `c${i}`,
        i === 0 ? "in" : `c${i}`,
      ],
    );
    const norm: LayerJson = ["BatchNormalization", "bn", { axis: [3], scale: false, center: false }, "c40"];
    expect(failureOf(() => convert([input, ...doubled, norm]))).toEqual({
      reason: "CONVERT_INVALID",
      message: 'weight "bn/moving_mean" is missing; expected shape (3298534883328,)',
    });
  });

  test("a layer on a hundred thousand tensors is taken within a second or two", { timeout: 20_000 }, () => {
    const sum: LayerJson = ["Add", "sum", {}, ...new Array<string>(100_000).fill("in")];
    expect(convert([input, sum, ["GlobalMaxPooling2D", "max", {}, "sum"]]).dimension).toBe(3);
  });
});

describe("topologies that cannot be read", () => {
  test.each<[string, unknown, string]>([
    ["no object", 7, "topology: expected an object with class_name and config, got 7"],
    [
      "a model of a class of one's own",
      { class_name: "MyModel", config: { layers: [] } },
      'topology: expected a model of class Model, Functional or Sequential, got "MyModel"',
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
        config: { layers: [{ class_name: "Add", name: "a", config: {}, inbound_nodes: [{ inputs: [] }] }] },
      },
      'inbound_nodes of layer "a": expected calls of [layer, call, tensor, arguments], got {"inputs":[]}',
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
