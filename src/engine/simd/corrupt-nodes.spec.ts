import { describe, expect, test } from "vitest";
import { flat, loadOdd, type OddGraph, pooled, window } from "../../../tools/simd/odd-graphs.ts";
import { floats, integers } from "../../../tools/simd/small-graphs.ts";
import { int, ints } from "../../convert/graph.ts";

describe("a node that contradicts itself or the others is corrupt", () => {
  const cases: OddGraph[] = [
    [
      "Conv with weights of one axis",
      [["Conv", ["picture", "pads"], "odd"]],
      'node "odd": expected weights (filters, 3 / 1, height, width), got (8)',
      { pads: integers(0, 0, 1, 1, 0, 0, 1, 1) },
    ],
    [
      "Conv in groups that do not divide the filters",
      [["Conv", ["picture", "w"], "odd", { group: int(3) }]],
      'node "odd": expected weights (filters, 3 / 3, height, width), got (4, 1, 1, 1)',
      { w: floats(4, 1, 1, 1) },
    ],
    [
      "Conv in no group",
      [["Conv", ["picture", "w"], "odd", { group: int(0) }]],
      'node "odd": expected weights (filters, 3 / 0, height, width), got (4, 3, 1, 1)',
      { w: floats(4, 3, 1, 1) },
    ],
    [
      "Conv with another kernel_shape",
      [["Conv", ["picture", "w"], "odd", window]],
      'node "odd": kernel_shape 2x2 differs from its weights',
      { w: floats(4, 3, 1, 1) },
    ],
    [
      "a window without a size",
      [["MaxPool", "picture", "odd"]],
      'node "odd": expected sizes, strides and dilations of at least 1',
    ],
    [
      "a window in the padding alone",
      [["AveragePool", "picture", "odd", { ...window, pads: ints([0, 2, 0, 0]) }]],
      'node "odd": expected pads smaller than the window 2x2, got 0, 2, 0, 0',
    ],
    [
      "negative pads",
      [["MaxPool", "picture", "odd", { ...window, pads: ints([0, -1, 0, 0]) }]],
      'node "odd": expected 4 sizes in pads, got 0,-1,0,0',
    ],
    [
      "strides for one axis",
      [["MaxPool", "picture", "odd", { ...window, strides: ints([2]) }]],
      'node "odd": expected 2 sizes in strides, got 2',
    ],
    [
      "a matrix of other rows",
      [pooled, flat, ["Gemm", ["flat", "w"], "odd"]],
      'node "odd": a matrix (2, 3) does not take 3 values',
      { w: floats(2, 3) },
    ],
    [
      "a normalisation of other channels",
      [["BatchNormalization", ["picture", "v", "v", "v", "v"], "odd"]],
      'node "odd": expected 3 values of each kind',
      { v: floats(4) },
    ],
    [
      "a layer's normalisation of other channels",
      [["LayerNormalization", ["input", "v"], "odd"]],
      'node "odd": expected 3 values of each kind',
      { v: floats(4) },
    ],
    [
      "a concatenation of two sizes",
      [
        ["MaxPool", "picture", "smaller", window],
        ["Concat", ["picture", "smaller"], "odd", { axis: int(1) }],
      ],
      'node "odd": expected pictures of one size',
    ],
    [
      "two nodes that give one tensor",
      [
        ["Relu", "picture", "odd"],
        ["Sigmoid", "picture", "odd"],
      ],
      'node "odd": expected a name of its own for its output, got "odd", which is taken',
    ],
    [
      "a node that gives a constant",
      [
        ["Sigmoid", "picture", "v"],
        ["Conv", ["picture", "v"], "odd"],
      ],
      'node "v": expected a name of its own for its output, got "v", which is taken',
      { v: floats(4, 3, 1, 1) },
    ],
  ];
  test.each(cases)("%s", async (_, nodes, message, constants) => {
    await expect(loadOdd(nodes, constants)).rejects.toMatchObject({ reason: "MODEL_CORRUPT", message });
  });
});
