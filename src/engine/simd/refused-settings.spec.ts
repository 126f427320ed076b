import { describe, expect, test } from "vitest";
import { flat, loadOdd, type OddGraph, pooled, window } from "../../../tools/simd/odd-graphs.ts";
import { floats, integers, scalar } from "../../../tools/simd/small-graphs.ts";
import { float, int, ints } from "../../convert/graph.ts";

describe("a setting that would be passed over is refused by its node's name", () => {
  const settings: OddGraph[] = [
    [
      "an attribute that is not known",
      [["Relu", "picture", "odd", { alpha: float(1) }]],
      'node "odd" (Relu): the attribute alpha is not known',
    ],
    [
      "limits as attributes",
      [["Clip", "picture", "odd", { max: float(6) }]],
      'node "odd" (Clip): the attribute max is not known',
    ],
    [
      "more limits than one",
      [["Clip", ["picture", "", "limits"], "odd"]],
      'node "odd" (Clip): expected its input 2 to be one number',
      { limits: floats(3) },
    ],
    [
      "a limit that is computed",
      [pooled, ["Clip", ["picture", "pooled"], "odd"]],
      'node "odd" (Clip): expected its input 1 to be a constant',
    ],
    ...["MaxPool", "AveragePool"].flatMap((op): OddGraph[] => [
      [
        `${op} with ceil_mode`,
        [[op, "picture", "odd", { ...window, ceil_mode: int(1) }]],
        `node "odd" (${op}): ceil_mode 1 is not known; known: 0`,
      ],
      [
        `${op} with storage_order`,
        [[op, "picture", "odd", { ...window, storage_order: int(1) }]],
        `node "odd" (${op}): storage_order 1 is not known; known: 0`,
      ],
      [
        `${op} with dilations`,
        [[op, "picture", "odd", { ...window, dilations: ints([2, 1]) }]],
        `node "odd" (${op}): dilations are not known`,
      ],
    ]),
    ...(["transA", "alpha", "beta"] as const).map((name): OddGraph => {
      const value = name === "transA" ? int(1) : float(0.5);
      return [
        `Gemm with ${name}`,
        [pooled, flat, ["Gemm", ["flat", "w"], "odd", { [name]: value }]],
        `node "odd" (Gemm): ${name} ${value.value} is not known; known: ${name === "transA" ? 0 : 1}`,
        { w: floats(3, 2) },
      ];
    }),
    [
      "Gelu by tanh",
      [["Gelu", "picture", "odd", { approximate: int(1) }]],
      'node "odd" (Gelu): approximate 1 is not known; known: none',
    ],
    [
      "LayerNormalization with a mean of another type",
      [["LayerNormalization", ["input", "w"], "odd", { stash_type: int(0) }]],
      'node "odd" (LayerNormalization): stash_type 0 is not known; known: 1',
      { w: floats(3) },
    ],
    [
      "LayerNormalization of height, width and channels",
      [["LayerNormalization", ["input", "w"], "odd", { axis: int(1) }]],
      'node "odd" (LayerNormalization): axis 1 of NHWC is not known; known: the last, of the channels',
      { w: floats(4, 5, 3) },
    ],
    [
      "LayerNormalization of channels that are not last",
      [["LayerNormalization", ["picture", "w"], "odd", { axis: int(1) }]],
      'node "odd" (LayerNormalization): axis 1 of NCHW is not known; known: the last, of the channels',
      { w: floats(3, 4, 5) },
    ],
    [
      "Reshape of a picture",
      [["Reshape", ["picture", "shape"], "odd"]],
      'node "odd" (Reshape): from (N, 3, 4, 5) to (0, 60) is not known; known: (N, C) and (N, C, 1, 1)',
      { shape: integers(0, 60) },
    ],
    [
      "Reshape of several pictures to one",
      [pooled, ["Reshape", ["pooled", "shape"], "odd"]],
      'node "odd" (Reshape): from (N, 3, 1, 1) to (1, 3) is not known; known: (N, C) and (N, C, 1, 1)',
      { shape: integers(1, 3) },
    ],
    [
      "Reshape to a shape that is computed",
      [pooled, ["Reshape", ["pooled", "pooled"], "odd"]],
      'node "odd" (Reshape): expected its input 1 to be a constant',
    ],
    [
      "Slice of channels",
      [["Slice", ["picture", "zeros", "ones", "axes"], "odd"]],
      'node "odd" (Slice): axes 1, 2 are not known; known: 2, 3',
      { zeros: integers(0, 0), ones: integers(1, 1), axes: integers(1, 2) },
    ],
    [
      "Slice from the end",
      [["Slice", ["picture", "starts", "ends", "axes"], "odd"]],
      'node "odd" (Slice): rows -2 to 4 and columns 0 to 5 of 4x5 are not known; known: those within it',
      { starts: integers(-2, 0), ends: integers(4, 5), axes: integers(2, 3) },
    ],
    [
      "Slice of nothing",
      [["Slice", ["picture", "starts", "ends", "axes"], "odd"]],
      'node "odd" (Slice): rows 2 to 2 and columns 0 to 6 of 4x5 are not known; known: those within it',
      { starts: integers(2, 0), ends: integers(2, 6), axes: integers(2, 3) },
    ],
    [
      "Slice with steps",
      [["Slice", ["picture", "zeros", "ones", "axes", "ones"], "odd"]],
      'node "odd" (Slice): expected at most 4 inputs, got 5',
      { zeros: integers(0, 0), ones: integers(1, 1), axes: integers(2, 3) },
    ],
    [
      "Gemm with a bias that is spread",
      [pooled, flat, ["Gemm", ["flat", "w", "one"], "odd"]],
      'node "odd" (Gemm): expected a bias of 2 values, got 1',
      { w: floats(3, 2), one: scalar(1) },
    ],
    [
      "Conv with a bias of other length",
      [["Conv", ["picture", "w", "bias"], "odd"]],
      'node "odd" (Conv): expected a bias of 8 values, got 7',
      { w: floats(8, 3, 1, 1), bias: floats(7) },
    ],
    [
      "Conv with weights that are computed",
      [["Conv", ["picture", "picture"], "odd"]],
      'node "odd" (Conv): expected its input 1 to be a constant',
    ],
    [
      "BatchNormalization in training",
      [
        [
          "BatchNormalization",
          ["picture", "v", "v", "v", "v"],
          "odd",
          { training_mode: int(1), momentum: float(0.9) },
        ],
      ],
      'node "odd" (BatchNormalization): training_mode 1 is not known; known: 0',
      { v: floats(3) },
    ],
    [
      "Add of a constant",
      [["Add", ["picture", "v"], "odd"]],
      'node "odd" (Add): expected its input 1 to be the result of a node before it',
      { v: floats(3, 1, 1) },
    ],
    [
      "a sum that is spread along one side",
      [
        ["MaxPool", "picture", "row", { kernel_shape: ints([4, 1]) }],
        ["Add", ["picture", "row"], "odd"],
      ],
      'node "odd" (Add): shapes (N, 3, 4, 5) and (N, 3, 1, 5) are not joined',
    ],
    [
      "a sum that is spread over channels",
      [
        ["Conv", ["picture", "w"], "one"],
        ["Mul", ["one", "picture"], "odd"],
      ],
      'node "odd" (Mul): shapes (N, 1, 4, 5) and (N, 3, 4, 5) are not joined',
      { w: floats(1, 3, 1, 1) },
    ],
    [
      "Pad of channels",
      [["Pad", ["picture", "pads"], "odd"]],
      'node "odd" (Pad): it is known with zeros around height and width only',
      { pads: integers(0, 1, 0, 0, 0, 0, 0, 0) },
    ],
    [
      "Pad of some axes",
      [["Pad", ["picture", "pads", "", "axes"], "odd"]],
      'node "odd" (Pad): expected at most 3 inputs, got 4',
      { pads: integers(1, 1), axes: integers(1) },
    ],
    [
      "Pad by fractions",
      [["Pad", ["picture", "pads"], "odd"]],
      'node "odd" (Pad): expected its input 1 to be int64',
      { pads: floats(8) },
    ],
    [
      "Constant",
      [["Constant", [], "odd"]],
      'node "odd" (Constant): this operator is not known; known: Add, AveragePool, BatchNormalization, Clip, Concat, Conv, Flatten, Gemm, GlobalAveragePool, GlobalMaxPool, LayerNormalization, MaxPool, Mul, Pad, Relu, Reshape, Slice, Softmax, Transpose, Sigmoid, Tanh, Elu, Selu, Softplus, Softsign, LeakyRelu, Gelu',
    ],
  ];
  test.each(settings)("%s", async (_, nodes, message, constants) => {
    await expect(loadOdd(nodes, constants)).rejects.toMatchObject({
      reason: "ENGINE_UNSUPPORTED",
      message: `simd: ${message}`,
    });
  });
});
