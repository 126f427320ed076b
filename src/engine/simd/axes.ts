import type { TensorSlot } from "./tensor-slot.ts";

/**
 * What the axes of a tensor are in the graph: batch, channels, height, width. In memory channels are last in each case, so a
 * node that counts axes must know which they are.
 */
export type Axes = "NHWC" | "NCHW" | "NC";

/** Whether `axis`, which may count from the end, is that of the channels. */
export function isChannelAxis(axes: Axes, axis: number): boolean {
  return axes[axis < 0 ? axis + axes.length : axis] === "C";
}

/** The shape that a tensor has in the graph. */
export function showShape(axes: Axes, { height, width, channels }: TensorSlot): string {
  const sizes = { N: "N", H: height, W: width, C: channels };
  return `(${[...axes].map((axis) => sizes[axis as keyof typeof sizes]).join(", ")})`;
}

/** For messages: the axes alone. */
export const showAxes = (axes: Axes) => `(${[...axes].join(", ")})`;
