import { shareOf } from "../row-groups.ts";
import { pixelsOf, quadsOf, type TensorSlot } from "../tensor-slot.ts";
import type { Clamp, StepFacts, StepPlace } from "./step.ts";

/** The sum or product of two tensors of one shape; `b` may be a vector that holds for every pixel. */
export interface CombineStep extends StepFacts, Clamp {
  readonly kind: "combine";
  readonly isProduct: boolean;
  readonly a: TensorSlot;
  readonly b: TensorSlot;
}

/** x * scale + shift for each channel. */
export interface ScaleStep extends StepFacts, Clamp {
  readonly kind: "scale";
  readonly input: TensorSlot;
  /** Addresses among the weights. */
  readonly scale: number;
  readonly shift: number;
}

/** An activation that is no clamp. */
export interface ActivationStep extends StepFacts {
  readonly kind: "activation";
  readonly input: TensorSlot;
  /** Its number in kernels/activate.ts. */
  readonly code: number;
  readonly alpha: number;
  readonly gamma: number;
}

/** Softmax over the channels of each pixel. */
export interface SoftmaxStep extends StepFacts {
  readonly kind: "softmax";
  readonly input: TensorSlot;
}

export function runCombine({ a, b, output, isProduct, low, high }: CombineStep, place: StepPlace): void {
  const { kernels, arena } = place;
  const quads = quadsOf(output);
  const [from, to] = shareOf(pixelsOf(output), place.part, place.parts);
  const skip = from * quads * 16;
  const isVector = pixelsOf(b) < pixelsOf(a);
  kernels.combine(
    arena + output.offset + skip,
    arena + a.offset + skip,
    arena + b.offset + (isVector ? 0 : skip),
    (to - from) * quads,
    isVector ? quads : (to - from) * quads,
    isProduct,
    low,
    high,
  );
}

export function runScale({ input, output, scale, shift, low, high }: ScaleStep, place: StepPlace): void {
  const { kernels, weights, arena } = place;
  const quads = quadsOf(output);
  const [from, to] = shareOf(pixelsOf(output), place.part, place.parts);
  const skip = from * quads * 16;
  kernels.scaleShift(
    arena + output.offset + skip,
    arena + input.offset + skip,
    weights + scale,
    weights + shift,
    to - from,
    quads,
    low,
    high,
  );
}

export function runActivation({ input, output, code, alpha, gamma }: ActivationStep, place: StepPlace): void {
  const { kernels, arena } = place;
  const [from, to] = shareOf(pixelsOf(output) * quadsOf(output), place.part, place.parts);
  const skip = from * 16;
  kernels.activate(arena + output.offset + skip, arena + input.offset + skip, to - from, code, alpha, gamma);
}

export function runSoftmax({ input, output }: SoftmaxStep, place: StepPlace): void {
  const { kernels, arena } = place;
  const [from, to] = shareOf(pixelsOf(output), place.part, place.parts);
  for (let pixel = from; pixel < to; pixel++) {
    const at = pixel * output.stride * 4;
    kernels.fill(arena + output.offset + at, 0, output.stride);
    kernels.softmax(arena + output.offset + at, arena + input.offset + at, output.channels);
  }
}
