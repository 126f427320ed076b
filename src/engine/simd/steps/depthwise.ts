import { shareOf } from "../row-groups.ts";
import { pixelsOf, quadsOf, type TensorSlot } from "../tensor-slot.ts";
import type { Clamp, StepFacts, StepPlace } from "./step.ts";

/** A convolution with one filter for each channel. */
export interface DepthwiseStep extends StepFacts, Clamp {
  readonly kind: "depthwise";
  readonly input: TensorSlot;
  /** Addresses among the weights. */
  readonly window: number;
  readonly weights: number;
  readonly bias: number;
}

export function runDepthwise(step: DepthwiseStep, { kernels, weights, arena, part, parts }: StepPlace): void {
  const { input, output } = step;
  const [from, to] = shareOf(pixelsOf(output), part, parts);
  kernels.depthwise(
    arena + output.offset,
    output.stride * 4,
    arena + input.offset,
    weights + step.window,
    weights + step.weights,
    weights + step.bias,
    from,
    to - from,
    quadsOf(output),
    step.low,
    step.high,
  );
}
