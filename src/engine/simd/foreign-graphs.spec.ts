import { describe, test } from "vitest";
import { expectSame } from "../../../tools/simd/expect-same.ts";
import {
  flattened,
  floats,
  integers,
  type ShortNode,
  scalar,
  smallGraph,
} from "../../../tools/simd/small-graphs.ts";
import { type Constant, float, int, ints } from "../../convert/graph.ts";
import { writeOnnx } from "../../convert/write-onnx.ts";

const vectors: readonly ShortNode[] = [
  ["GlobalAveragePool", "picture", "pooled"],
  ["Flatten", "pooled", "flat", { axis: int(-3) }],
];

type Case = [
  what: string,
  nodes: readonly ShortNode[],
  dimension: number,
  constants?: Readonly<Record<string, Constant>>,
];

describe("what our converter never writes is computed right", () => {
  const cases: Case[] = [
    [
      "activations of channels that are last",
      [
        ["Tanh", "input", "a"],
        ["Flatten", "a", "last"],
      ],
      60,
    ],
    [
      "sums, limits and a concatenation of channels that are last",
      [
        ["Relu", "input", "a"],
        ["Add", ["a", "input"], "b"],
        ["Clip", ["b", "", "six"], "c"],
        ["Concat", ["c", "input"], "d", { axis: int(-1) }],
        ["Flatten", "d", "last", { axis: int(1) }],
      ],
      120,
      { six: scalar(1.5) },
    ],
    [
      "Softmax over the last axis, which is that of the channels",
      [
        ["Softmax", "input", "a"],
        ["Flatten", "a", "last"],
      ],
      60,
    ],
    ["Softmax, axis -3", [["Softmax", "picture", "a", { axis: int(-3) }], ...flattened("a")], 60],
    ["Concat, axis -3", [["Concat", ["picture", "picture"], "a", { axis: int(-3) }], ...flattened("a")], 120],
    ["Concat of vectors, axis -1", [...vectors, ["Concat", ["flat", "flat"], "last", { axis: int(-1) }]], 6],
    [
      "Clip without a lower limit",
      [["Clip", ["picture", "", "limit"], "a"], ...flattened("a")],
      60,
      { limit: scalar(0.5) },
    ],
    [
      "Clip without an upper limit, one number in a list",
      [["Clip", ["picture", "limit"], "a"], ...flattened("a")],
      60,
      { limit: floats(1) },
    ],
    ["Clip without limits", [["Clip", "picture", "a"], ...flattened("a")], 60],
    [
      "Clip whose lower limit is above the upper",
      [["Clip", ["picture", "one", "zero"], "a"], ...flattened("a")],
      60,
      { one: scalar(1), zero: scalar(0) },
    ],
    [
      "a picture that is limited by itself",
      [["Add", ["picture", "picture"], "a"], ["Mul", ["a", "a"], "b"], ...flattened("b")],
      60,
    ],
    [
      "Flatten of one channel, which has one order only",
      [
        ["Conv", ["picture", "w"], "a"],
        ["Flatten", "a", "last"],
      ],
      20,
      { w: floats(1, 3, 1, 1) },
    ],
    [
      "Gemm with a turned matrix, a bias in a row, and neutral settings",
      [
        ...vectors,
        [
          "Gemm",
          ["flat", "w", "bias"],
          "last",
          { transA: int(0), transB: int(1), alpha: float(1), beta: float(1) },
        ],
      ],
      5,
      { w: floats(5, 3), bias: floats(1, 5) },
    ],
    ["Gemm without a bias", [...vectors, ["Gemm", ["flat", "w"], "last"]], 5, { w: floats(3, 5) }],
    [
      "a normalisation of vectors, and what it ignores",
      [...vectors, ["BatchNormalization", ["flat", "g", "b", "m", "v"], "last", { momentum: float(0.5) }]],
      3,
      {
        g: floats(3),
        b: floats(3),
        m: floats(3),
        v: { ...floats(3), data: Float32Array.of(1, 2, 3) } as Constant,
      },
    ],
    [
      "Conv by channel of the input itself",
      [
        ["Conv", ["picture", "w", "bias"], "a", { group: int(3), pads: ints([1, 1, 1, 1]) }],
        ...flattened("a"),
      ],
      60,
      { w: floats(3, 1, 3, 3), bias: floats(3) },
    ],
    [
      "pads wider than the kernel",
      [["Conv", ["picture", "w"], "a", { pads: ints([3, 0, 2, 4]) }], ...flattened("a")],
      9 * 9 * 8,
      { w: floats(8, 3, 1, 1) },
    ],
    [
      "a step that leaps over the picture",
      [["Conv", ["picture", "w"], "a", { strides: ints([9, 7]) }], ...flattened("a")],
      8,
      { w: floats(8, 3, 2, 2) },
    ],
    [
      "a mean that counts the padding, unevenly",
      [
        [
          "AveragePool",
          "picture",
          "a",
          { kernel_shape: ints([3, 2]), pads: ints([2, 0, 1, 1]), count_include_pad: int(1) },
        ],
        ...flattened("a"),
      ],
      5 * 5 * 3,
    ],
    [
      "Pad with a value that is zero",
      [["Pad", ["picture", "pads", "zero"], "a"], ...flattened("a")],
      7 * 5 * 3,
      { pads: integers(0, 0, 1, 0, 0, 0, 2, 0), zero: scalar(0) },
    ],
    [
      "a vector for each channel on the left",
      [
        ["GlobalMaxPool", "picture", "most"],
        ["Mul", ["most", "picture"], "a"],
        ["Add", ["a", "most"], "b"],
        ...flattened("b"),
      ],
      60,
    ],
    [
      "a vector as a picture of one pixel, and back",
      [
        ["GlobalAveragePool", "picture", "mean"],
        ["Reshape", ["mean", "flat"], "a"],
        ["Reshape", ["a", "pixel"], "b"],
        ["Mul", ["picture", "b"], "c"],
        ...flattened("c"),
      ],
      60,
      { flat: integers(0, 3), pixel: integers(0, 3, 1, 1) },
    ],
    [
      "Slice of rows and columns",
      [["Slice", ["picture", "starts", "ends", "axes"], "a"], ...flattened("a")],
      2 * 3 * 3,
      { starts: integers(1, 0), ends: integers(3, 3), axes: integers(2, 3) },
    ],
    [
      "Slice of one row, whose channels fill their memory",
      [
        ["Concat", ["picture", "picture", "picture", "picture"], "wide", { axis: int(1) }],
        ["Concat", ["wide", "wide"], "wider", { axis: int(1) }],
        ["Slice", ["wider", "starts", "ends", "axes"], "a"],
        ...flattened("a"),
      ],
      4 * 24,
      { starts: integers(3, 1), ends: integers(4, 5), axes: integers(2, 3) },
    ],
    [
      "a network whose output others take too",
      [["Relu", "picture", "a"], ...flattened("a"), ["Relu", "last", "unused"]],
      60,
    ],
    [
      "a limit behind the output, which is not to be limited",
      [...vectors, ["Gemm", ["flat", "w"], "last"], ["Relu", "last", "unused"]],
      5,
      { w: floats(3, 5) },
    ],
  ];
  test.each(cases)("%s", async (_, nodes, dimension, constants = {}) => {
    await expectSame(writeOnnx(smallGraph(nodes, dimension, constants)));
  });
});
