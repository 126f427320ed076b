import { describe, expect, test } from "vitest";
import {
  batchNorm,
  conv,
  convConfig,
  convert,
  convWeights,
  dense,
  failureOf,
  flat,
  input,
  type LayerJson,
  pool,
  poolConfig,
  topologyJson,
  zeros,
} from "../../tools/keras-layers.ts";
import { convertKeras } from "./convert-keras.ts";
import type { WeightTensor } from "./keras-format/keras-model.ts";
import { readTopology } from "./keras-format/read-topology.ts";

describe("what the converter lacks is named with layer, class and setting", () => {
  test.each<[string, LayerJson[], string]>([
    [
      "an unknown layer",
      [["Resizing", "size", {}, "in"]],
      'layer "size" (Resizing): this layer class cannot be converted; known classes: Activation, ActivityRegularization, Add, AveragePooling2D, BatchNormalization, Concatenate, Conv2D, Cropping2D, Custom>CustomScaleLayer, CustomScaleLayer, Dense, DepthwiseConv2D, Dropout, Flatten, GaussianDropout, GaussianNoise, GlobalAveragePooling2D, GlobalMaxPooling2D, LayerNormalization, LayerScale, LeakyReLU, MaxPooling2D, Multiply, Normalization, Permute, RandomBrightness, RandomContrast, RandomFlip, RandomRotation, RandomTranslation, RandomZoom, ReLU, Rescaling, Reshape, SeparableConv2D, Softmax, SpatialDropout2D, StochasticDepth, TFOpLambda, ZeroPadding2D, ops.Add, ops.Multiply, ops.Subtract, ops.TrueDivide',
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
      'layer "act" (Activation): activation is "mish"; supported: linear, relu, relu6, sigmoid, tanh, softmax, elu, selu, softplus, softsign, swish, silu, gelu, exponential, hard_sigmoid, hard_swish, hard_silu',
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
      "a pool on vectors",
      [flat, ["MaxPooling2D", "pool", poolConfig, "flat"]],
      "takes shape (72,); expected (height, width, channels)",
    ],
    [
      "Add of two shapes",
      [pool(), ["Add", "add", {}, "in", "pool"]],
      'layer "add" (Add): adds shapes (4, 6, 3) and (2, 3, 3); expected equal sizes, or sizes of 1',
    ],
    [
      "Multiply of a picture and a vector",
      [flat, ["Multiply", "multiply", {}, "in", "flat"]],
      'layer "multiply" (Multiply): multiplies shapes (4, 6, 3) and (72,); expected equal sizes, or sizes of 1',
    ],
    ["Add of one", [["Add", "add", {}, "in"]], 'layer "add" (Add): takes 1 input; expected at least 2'],
    [
      "depthwise filters with dilation and strides",
      [["DepthwiseConv2D", "depthwise", { ...convConfig, dilation_rate: [2, 1], strides: [2, 2] }, "in"]],
      'layer "depthwise" (DepthwiseConv2D): dilation_rate is (2, 1) with strides (2, 2); one of them must be (1, 1)',
    ],
    [
      "a separable convolution with channels first",
      [["SeparableConv2D", "separable", { ...convConfig, data_format: "channels_first" }, "in"]],
      'layer "separable" (SeparableConv2D): data_format is "channels_first"; only "channels_last" is supported',
    ],
    [
      "cropping with channels first",
      [
        [
          "Cropping2D",
          "crop",
          {
            cropping: [
              [0, 0],
              [0, 0],
            ],
            data_format: "channels_first",
          },
          "in",
        ],
      ],
      'layer "crop" (Cropping2D): data_format is "channels_first"; only "channels_last" is supported',
    ],
    [
      "a normalisation of another axis",
      [["LayerNormalization", "norm", { axis: [1, 2] }, "in"]],
      'layer "norm" (LayerNormalization): axis is [1,2]; only the last axis (3) is supported',
    ],
    [
      "a normalisation without a mean",
      [["LayerNormalization", "norm", { axis: [-1], rms_scaling: true }, "in"]],
      'layer "norm" (LayerNormalization): rms_scaling is true; only false is supported',
    ],
    [
      "statistics of all values",
      [["Normalization", "norm", { axis: [] }, "in"]],
      'layer "norm" (Normalization): axis is []; only the last axis (3) is supported',
    ],
    [
      "an inverted normalisation",
      [["Normalization", "norm", { axis: [-1], invert: true }, "in"]],
      'layer "norm" (Normalization): invert is true; only false is supported',
    ],
    [
      "Softmax over another axis",
      [["Softmax", "softmax", { axis: 1 }, "in"]],
      'layer "softmax" (Softmax): axis is 1; only the last axis (3) is supported',
    ],
    [
      "a shape of two axes",
      [["Reshape", "reshape", { target_shape: [24, 3] }, "in"]],
      'layer "reshape" (Reshape): target_shape is (24, 3); supported: (height, width, channels), (dimension,)',
    ],
    [
      "Permute of a vector",
      [flat, ["Permute", "permute", { dims: [1] }, "flat"]],
      'layer "permute" (Permute): takes shape (72,); expected (height, width, channels)',
    ],
    [
      "a scale of two shapes",
      [pool(), ["CustomScaleLayer", "scale", { scale: 0.1 }, "in", "pool"]],
      'layer "scale" (CustomScaleLayer): takes shapes (4, 6, 3) and (2, 3, 3); expected two equal ones',
    ],
    [
      "an operation of TensorFlow that is not known",
      [["TFOpLambda", "op", { function: "math.pow" }, "in"]],
      'layer "op" (TFOpLambda): function is "math.pow"; supported: __operators__.add, math.add, math.multiply, math.subtract, math.truediv',
    ],
    [
      "a difference of tensors",
      [["TFOpLambda", "op", { function: "math.subtract" }, "in", "in"]],
      'layer "op" (TFOpLambda): function is "math.subtract" of tensors; supported: of a tensor and a number',
    ],
    [
      "an operation of an inherited name",
      [["TFOpLambda", "op", { function: "constructor" }, "in"]],
      'layer "op" (TFOpLambda): function is "constructor"; supported: ',
    ],
    [
      "a sum of one",
      [["TFOpLambda", "op", { function: "math.add" }, "in"]],
      'layer "op" (TFOpLambda): takes 1 input; expected at least 2',
    ],
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
      "groups that do not divide",
      [conv({ groups: 2 })],
      convWeights,
      'layer "conv" (Conv2D): expected groups to divide 3 channels and 2 filters, got 2',
    ],
    [
      "groups of none",
      [conv({ groups: 0 })],
      convWeights,
      'layer "conv" (Conv2D): expected groups to be a whole number from 1, got 0',
    ],
    [
      "filters for each channel that no weight has",
      [["DepthwiseConv2D", "depthwise", { ...convConfig, depth_multiplier: 2 ** 40 }, "in"]],
      {},
      'weight "depthwise/depthwise_kernel" is missing; expected shape (3, 3, 3, 1099511627776)',
    ],
    [
      "half of a separable convolution",
      [["SeparableConv2D", "separable", convConfig, "in"]],
      { "separable/depthwise_kernel": zeros(3, 3, 3, 1) },
      'weight "separable/pointwise_kernel" is missing; expected shape (1, 1, 3, 2)',
    ],
    [
      "Dense on pixels with the weights of another",
      [dense({}, "in")],
      { "dense/kernel": zeros(72, 5) },
      'weight "dense/kernel": expected shape (3, 5), got (72, 5)',
    ],
    [
      "cropping of more than there is",
      [
        [
          "Cropping2D",
          "crop",
          {
            cropping: [
              [2, 2],
              [0, 0],
            ],
          },
          "in",
        ],
      ],
      {},
      'layer "crop" (Cropping2D): its output would be (0, 6, 3); the input is too small',
    ],
    [
      "cropping of less than nothing",
      [
        [
          "Cropping2D",
          "crop",
          {
            cropping: [
              [-1, 0],
              [0, 0],
            ],
          },
          "in",
        ],
      ],
      {},
      'layer "crop" (Cropping2D): expected cropping to be ((top, bottom), (left, right)), got [[-1,0],[0,0]]',
    ],
    [
      "a padding that no memory holds",
      [
        [
          "ZeroPadding2D",
          "pad",
          {
            padding: [
              [2 ** 40, 0],
              [0, 0],
            ],
          },
          "in",
        ],
      ],
      {},
      'layer "pad" (ZeroPadding2D): its output would be (1099511627780, 6, 3); expected at most 134217728 values',
    ],
    [
      "a shape of another size",
      [["Reshape", "reshape", { target_shape: [5, -1] }, "in"]],
      {},
      'layer "reshape" (Reshape): target_shape [5,-1] does not hold the 72 values of (4, 6, 3)',
    ],
    [
      "a shape of two open sizes",
      [["Reshape", "reshape", { target_shape: [-1, -1, 3] }, "in"]],
      {},
      'layer "reshape" (Reshape): target_shape [-1,-1,3] does not hold the 72 values of (4, 6, 3)',
    ],
    [
      "a shape of no numbers",
      [["Reshape", "reshape", { target_shape: "flat" }, "in"]],
      {},
      'layer "reshape" (Reshape): expected target_shape to be whole numbers from 1, or -1, got "flat"',
    ],
    [
      "an order with one axis twice",
      [["Permute", "permute", { dims: [1, 1, 3] }, "in"]],
      {},
      'layer "permute" (Permute): expected dims to be 1, 2 and 3 in some order, got [1,1,3]',
    ],
    [
      "a scale for each of two channels of three",
      [["Rescaling", "rescale", { scale: [1, 2] }, "in"]],
      {},
      'layer "rescale" (Rescaling): expected scale to be a number, or a list of 3, got [1,2]',
    ],
    [
      "a mean without a variance",
      [["Normalization", "norm", { mean: [1, 2, 3] }, "in"]],
      {},
      'layer "norm" (Normalization): expected variance to be a number, or a list of 3, got undefined',
    ],
    [
      "statistics that are missing",
      [["Normalization", "norm", {}, "in"]],
      { "norm/mean": zeros(3) },
      'weight "norm/variance" is missing; expected shape (3,)',
    ],
    [
      "a scale that is missing",
      [["LayerScale", "scale", { projection_dim: 3 }, "in"]],
      {},
      'weight "scale/gamma" is missing; expected shape (3,)',
    ],
    [
      "a custom scale without a scale",
      [["CustomScaleLayer", "scale", {}, "in", "in"]],
      {},
      'layer "scale" (CustomScaleLayer): expected scale to be a number, got undefined',
    ],
    [
      "a slope that is no number",
      [["LeakyReLU", "leaky", { alpha: "steep" }, "in"]],
      {},
      'layer "leaky" (LeakyReLU): expected alpha to be a number, got "steep"',
    ],
    [
      "a maximum that is no number",
      [["ReLU", "relu", { max_value: "six" }, "in"]],
      {},
      'layer "relu" (ReLU): expected max_value to be a number, got "six"',
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
    expect(failureOf(() => convert([input, ...doubled]))).toEqual({
      reason: "CONVERT_INVALID",
      message:
        'layer "c21" (Concatenate): its output would be (4, 6, 6291456); expected at most 134217728 values',
    });
  });

  test("numbers for more channels than any network has", () => {
    const many: LayerJson = ["Reshape", "many", { target_shape: [1, 1, -1] }, "pad"];
    const scale: LayerJson = ["Rescaling", "scale", { scale: 2 }, "many"];
    const pad = (rows: number): LayerJson => {
      const padding = [
        [0, rows - 4],
        [0, 0],
      ];
      return ["ZeroPadding2D", "pad", { padding }, "in"];
    };
    // A row has 18 values.
    expect(convert([input, pad(58_254), many, scale]).dimension).toBe(1_048_572);
    expect(failureOf(() => convert([input, pad(58_255), many, scale]))).toEqual({
      reason: "CONVERT_INVALID",
      message: 'layer "scale" (Rescaling): takes 1048590 channels; expected at most 1048576',
    });
    const norm: LayerJson = ["LayerNormalization", "norm", { scale: false, center: false }, "many"];
    expect(failureOf(() => convert([input, pad(58_255), many, norm]))).toEqual({
      reason: "CONVERT_INVALID",
      message: 'layer "norm" (LayerNormalization): takes 1048590 channels; expected at most 1048576',
    });
  });

  test("numbers for all channels, layer after layer", () => {
    const wide: LayerJson = ["Reshape", "wide", { target_shape: [1, 1, -1] }, "pad"];
    const padding = [
      [0, 50_000],
      [0, 0],
    ];
    const scales = Array.from(
      { length: 20 },
      (_, i): LayerJson => ["Rescaling", `scale${i}`, { scale: i + 2 }, i === 0 ? "wide" : `scale${i - 1}`],
    );
    expect(
      failureOf(() => convert([input, ["ZeroPadding2D", "pad", { padding }, "in"], wide, ...scales])),
    ).toEqual({
      reason: "CONVERT_INVALID",
      message: '"scale4/affine_mean": the network has too many numbers that are no weights',
    });
  });

  test("another number for each call of one operation", () => {
    const json = topologyJson([input, ["TFOpLambda", "op", { function: "math.add" }, "in"]]);
    const calls = Array.from({ length: 300 }, (_, i) => [
      i === 0 ? "in" : "op",
      Math.max(i - 1, 0),
      0,
      { y: i },
    ]);
    const [, operation] = json.config.layers;
    Object.assign(operation!, { inbound_nodes: calls });
    const topology = readTopology({ ...json, config: { ...json.config, output_layers: [["op", 299, 0]] } });
    const options = { outputLayer: "op", inputShape: [4, 6, 3] };
    expect(failureOf(() => convertKeras({ topology, weights: new Map() }, options))).toEqual({
      reason: "CONVERT_INVALID",
      message: '"op/affine_shift": expected calls of one layer to need at most 256 of them',
    });
  });

  test("a layer on more tensors than any network has", () => {
    const sumOf = (count: number) => {
      const sum: LayerJson = ["Add", "sum", {}, ...new Array<string>(count).fill("in")];
      return convert([input, sum, ["GlobalMaxPooling2D", "max", {}, "sum"]]).dimension;
    };
    expect(sumOf(1_000)).toBe(3);
    expect(failureOf(() => sumOf(1_001))).toEqual({
      reason: "CONVERT_INVALID",
      message: 'layer "sum" (Add): expected at most 1000 inputs, got 1001',
    });
  });

  test("more nodes than any network has", () => {
    const sums = Array.from({ length: 51 }, (_, i): LayerJson => {
      const source = i === 0 ? "in" : `sum${i - 1}`;
      return ["Add", `sum${i}`, {}, ...new Array<string>(1_000).fill(source)];
    });
    expect(failureOf(() => convert([input, ...sums]))).toEqual({
      reason: "CONVERT_INVALID",
      message: '"sum50": expected at most 50000 nodes',
    });
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
