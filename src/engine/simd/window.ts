import { EmbedError } from "../../errors.ts";
import type { OnnxNode } from "./read-onnx-graph.ts";
import { createSlot, type TensorSlot } from "./tensor-slot.ts";

/** How the windows of a convolution or a pool lie on a picture. */
export interface Window {
  readonly kernel: readonly [height: number, width: number];
  readonly strides: readonly [number, number];
  readonly pads: readonly [top: number, left: number, bottom: number, right: number];
  readonly dilations: readonly [number, number];
}

export const pointWindow: Window = { kernel: [1, 1], strides: [1, 1], pads: [0, 0, 0, 0], dilations: [1, 1] };

/** @throws EmbedError `MODEL_CORRUPT` for impossible numbers */
export function readWindow(node: OnnxNode, kernel: readonly number[]): Window {
  const list = (name: string, fallback: readonly number[]) => {
    const value = node.attributes.get(name) ?? fallback;
    const isList = Array.isArray(value) && value.length === fallback.length && value.every((one) => one >= 0);
    if (!isList)
      throw new EmbedError(
        "MODEL_CORRUPT",
        `node "${node.name}": expected ${fallback.length} sizes in ${name}, got ${value}`,
      );
    return value as number[];
  };
  const window = {
    kernel: list("kernel_shape", kernel),
    strides: list("strides", [1, 1]),
    pads: list("pads", [0, 0, 0, 0]),
    dilations: list("dilations", [1, 1]),
  };
  if ([...window.kernel, ...window.strides, ...window.dilations].includes(0)) {
    throw new EmbedError(
      "MODEL_CORRUPT",
      `node "${node.name}": expected sizes, strides and dilations of at least 1`,
    );
  }
  return window as unknown as Window;
}

/** The picture that windows over `input` give, with `channels` channels. */
export function slide(
  node: OnnxNode,
  { kernel, strides, pads, dilations }: Window,
  input: TensorSlot,
  channels: number,
): TensorSlot {
  const count = (size: number, axis: 0 | 1) =>
    Math.floor(
      (size + pads[axis] + pads[axis + 2]! - dilations[axis] * (kernel[axis] - 1) - 1) / strides[axis],
    ) + 1;
  const [height, width] = [count(input.height, 0), count(input.width, 1)];
  if (height < 1 || width < 1) {
    throw new EmbedError(
      "MODEL_CORRUPT",
      `node "${node.name}": a window of ${kernel.join("x")} does not fit ${input.height}x${input.width}`,
    );
  }
  return createSlot(height, width, channels);
}

/** The fields of kernels/window.ts, in its order. */
export function layoutWindow(
  { kernel, strides, pads, dilations }: Window,
  input: TensorSlot,
  output: TensorSlot,
): number[] {
  return [
    ...[input.height, input.width, input.stride * 4, output.height, output.width],
    ...[...kernel, ...strides, pads[0], pads[1], ...dilations],
  ];
}
