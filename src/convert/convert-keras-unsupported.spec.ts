import { describe, expect, test } from "vitest";
import {
  batchNorm,
  conv,
  convConfig,
  convert,
  convWeights,
  failureOf,
  flat,
  input,
  type LayerJson,
  pool,
  poolConfig,
} from "../../tools/keras-layers.ts";

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
