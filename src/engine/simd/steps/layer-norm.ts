import { shareOf } from "../row-groups.ts";
import { pixelsOf, quadsOf, type TensorSlot } from "../tensor-slot.ts";
import type { StepFacts, StepPlace } from "./step.ts";

/** Each pixel's channels, less their mean, over their deviation. */
export interface LayerNormStep extends StepFacts {
  readonly kind: "layerNorm";
  readonly input: TensorSlot;
  /** Addresses among the weights. */
  readonly gamma: number;
  readonly beta: number;
  readonly epsilon: number;
}

export function runLayerNorm({ input, output, gamma, beta, epsilon }: LayerNormStep, place: StepPlace): void {
  const { kernels, weights, arena } = place;
  const quads = quadsOf(output);
  const [from, to] = shareOf(pixelsOf(output), place.part, place.parts);
  const skip = from * quads * 16;
  kernels.layerNorm(
    arena + output.offset + skip,
    arena + input.offset + skip,
    weights + gamma,
    weights + beta,
    to - from,
    quads,
    output.channels,
    epsilon,
  );
}
