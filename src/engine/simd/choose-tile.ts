import { tilesOf } from "./steps/winograd.ts";
import { pixelsOf, type TensorSlot } from "./tensor-slot.ts";
import type { Window } from "./window.ts";

/** Multiply-adds that take as long as one byte of weights that comes from memory: measured on an AMD EPYC (Zen 4). */
const stepsPerWeightByte = 1.8;

/**
 * Winograd's tile, or undefined where the product itself is cheaper: fewer multiplications stand against more
 * weights, which have to come from memory for every picture.
 */
export function chooseTile(
  { kernel, strides, dilations }: Window,
  input: TensorSlot,
  output: TensorSlot,
): 2 | 4 | undefined {
  const isFit = [kernel, strides, dilations].map(String).join(" ") === "3,3 1,1 1,1";
  if (!isFit || input.stride < 16) return undefined;
  const filters = input.stride * output.stride;
  const cost = (rows: number, weights: number) =>
    rows * weights * filters + weights * filters * 4 * stepsPerWeightByte;
  const choices = [
    { tile: undefined, cost: cost(pixelsOf(output), 9) },
    { tile: 2, cost: cost(tilesOf(output, 2), 16) * 1.1 },
    { tile: 4, cost: cost(tilesOf(output, 4), 36) * 1.15 },
  ] as const;
  return choices.toSorted((a, b) => a.cost - b.cost)[0]?.tile;
}
