import { EmbedError } from "../../../errors.ts";
import { isVector, type OperatorHandler } from "../planner.ts";
import { createSlot, type TensorSlot } from "../tensor-slot.ts";

/** Tensors whose channels come last in the graph too, so that `Flatten` finds them in the order of memory. */
const channelsLast = new WeakSet<TensorSlot>();

/**
 * ONNX `Transpose` between (N, height, width, channels) and (N, channels, height, width): in memory channels are last in
 * both, so nothing moves.
 */
export const transpose: OperatorHandler = (planner, node) => {
  const input = planner.input(node);
  const order = String(node.attributes.get("perm"));
  if (order === "0,3,1,2") {
    planner.give(node, input);
  } else if (order === "0,2,3,1") {
    channelsLast.add(input);
    planner.give(node, input);
  } else {
    throw planner.refuse(node, `the order ${order} is not known; known: 0,3,1,2 and 0,2,3,1`);
  }
};

/** ONNX `Flatten`: pixel after pixel, without the gaps behind their channels. */
export const flatten: OperatorHandler = (planner, node) => {
  const input = planner.input(node);
  if (planner.number(node, "axis", 1) !== 1) throw planner.refuse(node, "an axis other than 1 is not known");
  if (isVector(input)) {
    planner.give(node, input);
    return;
  }
  if (!channelsLast.has(input)) throw planner.refuse(node, "it is known behind a Transpose 0,2,3,1 only");
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
  });
};

/** ONNX `Concat` of channels, axis 1. */
export const concat: OperatorHandler = (planner, node) => {
  const inputs = node.inputs.map((_, index) => planner.input(node, index));
  const [first] = inputs;
  const axis = planner.number(node, "axis", Number.NaN);
  if (!first || axis !== 1) throw planner.refuse(node, `axis ${axis} is not known; known: 1`);
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
    });
    before += input.channels;
  }
};

/** ONNX `Pad` of height and width with zeros. */
export const pad: OperatorHandler = (planner, node) => {
  const input = planner.input(node);
  const { data } = planner.constant(node, 1);
  const [n0 = 0, c0 = 0, top = 0, left = 0, n1 = 0, c1 = 0, bottom = 0, right = 0] = data;
  const mode = node.attributes.get("mode") ?? "constant";
  const value = node.inputs[2] ? planner.floats(node, 2)[0] : 0;
  if (
    data.length !== 8 ||
    mode !== "constant" ||
    value !== 0 ||
    [n0, c0, n1, c1].some((size) => size !== 0)
  ) {
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
  });
};
