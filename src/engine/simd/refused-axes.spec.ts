import { describe, expect, test } from "vitest";
import { flat, loadOdd, type OddGraph, plainEngine, pooled } from "../../../tools/simd/odd-graphs.ts";
import { flattened, floats, type ShortNode, smallGraph } from "../../../tools/simd/small-graphs.ts";
import { int, ints } from "../../convert/graph.ts";
import { writeOnnx } from "../../convert/write-onnx.ts";

const known = "expected its input";
const nhwc = "got (N, 4, 5, 3), which is (N, H, W, C)";
const perm = { perm: ints([0, 2, 3, 1]) };

describe("a node of other axes than it is known for is refused by its name", () => {
  const axes: OddGraph[] = [
    ...["Conv", "MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool", "Pad"].map(
      (op): OddGraph => [
        `${op} of channels that are last`,
        [[op, "input", "odd"]],
        `node "odd" (${op}): ${known} 0 to be (N, C, H, W), ${nhwc}`,
      ],
    ),
    [
      "BatchNormalization of channels that are last",
      [["BatchNormalization", "input", "odd"]],
      `node "odd" (BatchNormalization): ${known} 0 to be (N, C, H, W) or (N, C), ${nhwc}`,
    ],
    [
      "Gemm of a picture of one pixel",
      [pooled, ["Gemm", ["pooled", "w"], "odd"]],
      `node "odd" (Gemm): ${known} 0 to be (N, C), got (N, 3, 1, 1), which is (N, C, H, W)`,
      { w: floats(3, 2) },
    ],
    [
      "Transpose back of what is not turned",
      [["Transpose", "input", "odd", perm]],
      'node "odd" (Transpose): the order 0,2,3,1 of NHWC is not known; known: 0,3,1,2',
    ],
    [
      "Transpose twice",
      [["Transpose", "picture", "odd", { perm: ints([0, 3, 1, 2]) }]],
      'node "odd" (Transpose): the order 0,3,1,2 of NCHW is not known; known: 0,2,3,1',
    ],
    [
      "Transpose without an order",
      [["Transpose", "picture", "odd"]],
      'node "odd" (Transpose): the order 3,2,1,0 of NCHW is not known; known: 0,2,3,1',
    ],
    [
      "Transpose of a vector",
      [pooled, flat, ["Transpose", "flat", "odd", perm]],
      `node "odd" (Transpose): ${known} 0 to be (N, H, W, C) or (N, C, H, W), got (N, 3), which is (N, C)`,
    ],
    [
      "Flatten of channels before pixels, though the same tensor is turned elsewhere",
      [
        ["Relu", "picture", "a"],
        ["Transpose", "a", "turned", perm],
        ["Flatten", "a", "odd"],
      ],
      'node "odd" (Flatten): it is known behind a Transpose 0,2,3,1 only',
    ],
    [
      "a sum of two orders of axes",
      [
        ["Transpose", "picture", "turned", perm],
        ["Add", ["picture", "turned"], "odd"],
      ],
      `node "odd" (Add): ${known} 1 to be (N, C, H, W), ${nhwc}`,
    ],
    [
      "a vector of rank 2, which lies along the width",
      [pooled, flat, ["Mul", ["picture", "flat"], "odd"]],
      `node "odd" (Mul): ${known} 1 to be (N, C, H, W), got (N, 3), which is (N, C)`,
    ],
    [
      "such a sum behind a convolution",
      [pooled, flat, ["Conv", ["pooled", "w"], "convolved"], ["Add", ["convolved", "flat"], "odd"]],
      `node "odd" (Add): ${known} 1 to be (N, C, H, W), got (N, 3), which is (N, C)`,
      { w: floats(3, 3, 1, 1) },
    ],
    [
      "a concatenation of two orders of axes",
      [["Concat", ["input", "picture"], "odd", { axis: int(1) }]],
      `node "odd" (Concat): ${known} 1 to be (N, H, W, C), got (N, 3, 4, 5), which is (N, C, H, W)`,
    ],
    ...[0, 2, 3, -1].map(
      (axis): OddGraph => [
        `Concat of axis ${axis}`,
        [["Concat", ["picture", "picture"], "odd", { axis: int(axis) }]],
        `node "odd" (Concat): axis ${axis} of NCHW is not known; known: that of the channels`,
      ],
    ),
    [
      "Softmax over the width",
      [["Softmax", "picture", "odd"]],
      'node "odd" (Softmax): axis -1 of NCHW is not known; known: that of the channels',
    ],
    [
      "Flatten of another axis",
      [["Flatten", "input", "odd", { axis: int(2) }]],
      'node "odd" (Flatten): axis 2 is not known; known: 1',
    ],
  ];
  test.each(axes)("%s", async (_, nodes, message, constants) => {
    await expect(loadOdd(nodes, constants)).rejects.toMatchObject({
      reason: "ENGINE_UNSUPPORTED",
      message: `simd: ${message}`,
    });
  });

  test.each([
    ["a picture", [["Relu", "picture", "last"]], "(N, 3, 4, 5)"],
    ["a picture of one pixel", [["GlobalAveragePool", "picture", "last"]], "(N, 3, 1, 1)"],
    ["a vector of other length", flattened("picture"), "(N, 60)"],
  ] as [string, ShortNode[], string][])("an output that is %s", async (_, nodes, shape) => {
    await expect(plainEngine.load(writeOnnx(smallGraph(nodes, 3)))).rejects.toMatchObject({
      reason: "ENGINE_UNSUPPORTED",
      message: `simd: expected an output (N, 3), got ${shape}`,
    });
  });
});
