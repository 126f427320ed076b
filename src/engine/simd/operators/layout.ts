import { EmbedError } from "../../../errors.ts";
import { isChannelAxis, showShape } from "../axes.ts";
import { isVector, type OperatorHandler } from "../planner.ts";
import { createSlot } from "../tensor-slot.ts";

/** What `Transpose` may do: in memory channels are last before it and behind it, so nothing moves. */
const orders = [
  { from: "NHWC", order: "0,3,1,2", to: "NCHW" },
  { from: "NCHW", order: "0,2,3,1", to: "NHWC" },
] as const;

/** ONNX `Transpose` between (N, height, width, channels) and (N, channels, height, width). */
export const transpose: OperatorHandler = (planner, node) => {
  const axes = planner.axes(node);
  const { order, to } = orders.find(({ from }) => from === axes)!;
  const perm = String(node.attributes.get("perm") ?? "3,2,1,0");
  if (perm !== order)
    throw planner.refuse(node, `the order ${perm} of ${axes} is not known; known: ${order}`);
  planner.give(node, planner.input(node), to);
};

/** ONNX `Flatten`: pixel after pixel, without the gaps behind their channels. */
export const flatten: OperatorHandler = (planner, node) => {
  const input = planner.input(node);
  const axes = planner.axes(node);
  const axis = planner.number(node, "axis", 1);
  if (axis !== 1 && axis + axes.length !== 1)
    throw planner.refuse(node, `axis ${axis} is not known; known: 1`);
  if (isVector(input)) {
    planner.give(node, input, "NC");
    return;
  }
  if (axes !== "NHWC" && input.channels > 1)
    throw planner.refuse(node, "it is known behind a Transpose 0,2,3,1 only");
  const pixels = input.height * input.width;
  const output = createSlot(1, 1, pixels * input.channels);
  planner.add(node, {
    kind: "copy",
    node: node.name,
    input,
    output,
    clears: true,
    ...{ rows: 1, outRow: 0, inRow: 0 },
    ...{ runs: pixels, outRun: input.channels * 4, inRun: input.stride * 4, count: input.channels },
    outFirst: 0,
    inFirst: 0,
  });
  planner.give(node, output, "NC");
};

/** ONNX `Concat` of channels. */
export const concat: OperatorHandler = (planner, node) => {
  const inputs = node.inputs.map((_, index) => planner.input(node, index));
  const [first] = inputs;
  const axes = planner.axes(node);
  const axis = planner.number(node, "axis", Number.NaN);
  if (!first || !isChannelAxis(axes, axis))
    throw planner.refuse(node, `axis ${axis} of ${axes} is not known; known: that of the channels`);
  if (inputs.some(({ height, width }) => height !== first.height || width !== first.width)) {
    throw new EmbedError("MODEL_CORRUPT", `node "${node.name}": expected pictures of one size`);
  }
  const channels = inputs.reduce((sum, slot) => sum + slot.channels, 0);
  const output = createSlot(first.height, first.width, channels);
  let before = 0;
  for (const [index, input] of inputs.entries()) {
    planner.add(node, {
      kind: "copy",
      node: node.name,
      input,
      output,
      clears: index === 0 && output.stride > channels,
      ...{ rows: 1, outRow: 0, inRow: 0 },
      ...{ runs: first.height * first.width, outRun: output.stride * 4, inRun: input.stride * 4 },
      count: input.channels,
      outFirst: before * 4,
      inFirst: 0,
    });
    before += input.channels;
  }
};

/** ONNX `Pad` of height and width with zeros. */
export const pad: OperatorHandler = (planner, node) => {
  const input = planner.input(node);
  const { integers } = planner.constant(node, 1);
  if (!integers) throw planner.refuse(node, "expected its input 1 to be int64");
  const [n0 = 0, c0 = 0, top = 0, left = 0, n1 = 0, c1 = 0, bottom = 0, right = 0] = integers;
  const value = node.inputs[2] ? planner.floats(node, 2)[0] : 0;
  if (integers.length !== 8 || value !== 0 || [n0, c0, n1, c1].some((size) => size !== 0)) {
    throw planner.refuse(node, "it is known with zeros around height and width only");
  }
  if ([top, left, bottom, right].some((size) => size < 0))
    throw planner.refuse(node, "negative pads are not known");
  const output = createSlot(input.height + top + bottom, input.width + left + right, input.channels);
  planner.add(node, {
    kind: "copy",
    node: node.name,
    input,
    output,
    clears: true,
    rows: input.height,
    outRow: output.width * output.stride * 4,
    inRow: input.width * input.stride * 4,
    ...{ runs: input.width, outRun: output.stride * 4, inRun: input.stride * 4, count: input.channels },
    outFirst: (top * output.width + left) * output.stride * 4,
    inFirst: 0,
  });
};

/** ONNX `Reshape` between a vector and a picture of one pixel, which lie alike in memory: (N, C) and (N, C, 1, 1). */
export const reshape: OperatorHandler = (planner, node) => {
  const input = planner.input(node);
  const { integers } = planner.constant(node, 1);
  const sizes = integers ?? [];
  const [batch, channels, height = 1, width = 1] = sizes;
  const isPicture = sizes.length === 4;
  const isKnown = (isPicture || sizes.length === 2) && batch === 0 && height === 1 && width === 1;
  if (!isVector(input) || !isKnown || channels !== input.channels) {
    const from = showShape(planner.axes(node), input);
    throw planner.refuse(
      node,
      `from ${from} to (${sizes.join(", ")}) is not known; known: (N, C) and (N, C, 1, 1)`,
    );
  }
  planner.give(node, input, isPicture ? "NCHW" : "NC");
};

/** ONNX `Slice` of rows and columns: what is left of a picture whose edges are cut off. */
export const slice: OperatorHandler = (planner, node) => {
  const input = planner.input(node);
  const [starts, ends, axes] = [1, 2, 3].map((index) => planner.constant(node, index).integers ?? []) as [
    readonly number[],
    readonly number[],
    readonly number[],
  ];
  if (axes.join() !== "2,3" || starts.length !== 2 || ends.length !== 2)
    throw planner.refuse(node, `axes ${axes.join(", ")} are not known; known: 2, 3`);
  const [top, left] = starts as [number, number];
  const [bottom, right] = ends as [number, number];
  if (top < 0 || left < 0 || bottom > input.height || right > input.width || top >= bottom || left >= right) {
    throw planner.refuse(
      node,
      `rows ${top} to ${bottom} and columns ${left} to ${right} of ${input.height}x${input.width} are not known; known: those within it`,
    );
  }
  const output = createSlot(bottom - top, right - left, input.channels);
  planner.add(node, {
    kind: "copy",
    node: node.name,
    input,
    output,
    clears: output.stride > output.channels,
    rows: output.height,
    outRow: output.width * output.stride * 4,
    inRow: input.width * input.stride * 4,
    ...{ runs: output.width, outRun: output.stride * 4, inRun: input.stride * 4, count: input.channels },
    outFirst: 0,
    inFirst: (top * input.width + left) * input.stride * 4,
  });
};
