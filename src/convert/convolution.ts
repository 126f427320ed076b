import { type Constant, int, ints } from "./graph.ts";
import type { LayerContext, TensorRef } from "./layer-handler.ts";
import { placeWindow } from "./window.ts";

/** How a convolution's window moves, as a Keras layer has it. */
export interface Movement {
  readonly kernel: readonly [height: number, width: number];
  readonly strides: readonly [height: number, width: number];
  readonly dilation: readonly [height: number, width: number];
  readonly padding: "valid" | "same";
}

/** A window of one pixel, moved from pixel to pixel. */
export const pointMovement: Movement = {
  kernel: [1, 1],
  strides: [1, 1],
  dilation: [1, 1],
  padding: "valid",
};

interface Filters {
  /** The filters look at a part of the channels each, as ONNX has it: filter after filter, part after part. */
  readonly group: number;
  /** Name of the constant (filters, channels / group, height, width). */
  readonly kernel: string;
  /** Name of the constant (filters). */
  readonly bias?: string;
  readonly filters: number;
}

/** Adds the ONNX operator `Conv` on a picture. */
export function addConvolution(
  context: LayerContext,
  { name, shape }: TensorRef,
  movement: Movement,
  { group, kernel, bias, filters }: Filters,
): TensorRef {
  const { pads, output } = placeWindow({ input: [shape[0]!, shape[1]!], ...movement });
  const inputs = [name, kernel, ...(bias === undefined ? [] : [bias])];
  const convolved = context.node("Conv", inputs, {
    dilations: ints(movement.dilation),
    group: int(group),
    kernel_shape: ints(movement.kernel),
    pads: ints(pads),
    strides: ints(movement.strides),
  });
  return { name: convolved, shape: [...output, filters] };
}

/** Adds the constant `variable` (out, in, kh, kw) from Keras's (kh, kw, in, out). */
export function addKernel(
  context: LayerContext,
  variable: string,
  data: Float32Array,
  shape: KernelShape,
): string {
  const kernel = turnedKernels.get(data) ?? turnKernel(data, shape);
  turnedKernels.set(data, kernel);
  return context.constant(variable, kernel);
}

type KernelShape = readonly [kh: number, kw: number, inputs: number, filters: number];

/** By the weight: a layer may be called ten thousand times. */
const turnedKernels = new WeakMap<Float32Array, Constant>();

function turnKernel(data: Float32Array, [kh, kw, inputs, filters]: KernelShape): Constant {
  const turned = new Float32Array(data.length);
  const area = kh * kw;
  for (let at = 0, from = 0; at < area; at++) {
    for (let i = 0; i < inputs; i++) {
      for (let o = 0; o < filters; o++) turned[(o * inputs + i) * area + at] = data[from++]!;
    }
  }
  return { kind: "float32", shape: [filters, inputs, kh, kw], data: turned };
}

/**
 * Adds the constant `variable` (channels * multiplier, 1, kh, kw) from Keras's (kh, kw, channels, multiplier): filter m of
 * channel c is the one of number c * multiplier + m, in TensorFlow as in ONNX.
 */
export function addChannelKernel(
  context: LayerContext,
  variable: string,
  data: Float32Array,
  [kh, kw, channels, multiplier]: KernelShape,
): string {
  return addKernel(context, variable, data, [kh, kw, 1, channels * multiplier]);
}
