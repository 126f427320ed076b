import { shareOf } from "../row-groups.ts";
import { pixelsOf, quadsOf, type TensorSlot } from "../tensor-slot.ts";
import type { StepFacts, StepPlace } from "./step.ts";

/** The largest value or the mean of each window. */
export interface PoolStep extends StepFacts {
  readonly kind: "pool";
  readonly takes: "largest" | "mean";
  readonly input: TensorSlot;
  /** Address among the weights. */
  readonly window: number;
  /** Of a mean: number of values, padding included; 0: those within the picture. */
  readonly divisor: number;
}

export function runPool(step: PoolStep, { kernels, weights, arena, part, parts }: StepPlace): void {
  const { input, output } = step;
  const [from, to] = shareOf(pixelsOf(output), part, parts);
  const out = arena + output.offset,
    source = arena + input.offset,
    window = weights + step.window;
  const stride = output.stride * 4,
    quads = quadsOf(output);
  if (step.takes === "largest") kernels.maxPool(out, stride, source, window, from, to - from, quads);
  else kernels.averagePool(out, stride, source, window, from, to - from, quads, step.divisor);
}
