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
  zeros,
} from "../../tools/keras-layers.ts";
import type { WeightTensor } from "./keras-format/keras-model.ts";

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
