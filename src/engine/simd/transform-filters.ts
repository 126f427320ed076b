import type { WeightAt } from "./operators/convolution.ts";
import type { TensorSlot } from "./tensor-slot.ts";

/** G of Lavin and Gray (arXiv 1509.09308, section 4), by the outputs of a tile. */
const filterTransforms = {
  2: [
    [1, 0, 0],
    [0.5, 0.5, 0.5],
    [0.5, -0.5, 0.5],
    [0, 0, 1],
  ],
  4: [
    [1 / 4, 0, 0],
    [-1 / 6, -1 / 6, -1 / 6],
    [-1 / 6, 1 / 6, -1 / 6],
    [1 / 24, 1 / 12, 1 / 6],
    [1 / 24, -1 / 12, 1 / 6],
    [0, 0, 1],
  ],
} as const;

export interface FilterTransform {
  readonly tile: 2 | 4;
  /** Floats from one plane to the next. */
  readonly plane: number;
  readonly weightAt: WeightAt;
  readonly input: TensorSlot;
  readonly output: TensorSlot;
}

/** G g G^T of each 3x3 filter, in float64: for each place of the tile a plane of panels [channels][8]. */
export function transformFilters(
  target: Float32Array,
  { tile, plane, weightAt, input, output }: FilterTransform,
): void {
  const size = tile + 2;
  const factors = Float64Array.from(filterTransforms[tile].flat());
  const half = new Float64Array(size * 3);
  for (let filter = 0; filter < output.channels; filter++) {
    for (let channel = 0; channel < input.channels; channel++) {
      for (let x = 0; x < 3; x++) {
        const a = weightAt(filter, channel, x);
        const b = weightAt(filter, channel, 3 + x);
        const c = weightAt(filter, channel, 6 + x);
        for (let i = 0; i < size; i++) {
          half[i * 3 + x] = factors[i * 3]! * a + factors[i * 3 + 1]! * b + factors[i * 3 + 2]! * c;
        }
      }
      let at = ((filter >> 3) * input.stride + channel) * 8 + (filter & 7);
      for (let i = 0; i < size; i++) {
        const a = half[i * 3]!;
        const b = half[i * 3 + 1]!;
        const c = half[i * 3 + 2]!;
        for (let j = 0; j < size; j++, at += plane) {
          target[at] = factors[j * 3]! * a + factors[j * 3 + 1]! * b + factors[j * 3 + 2]! * c;
        }
      }
    }
  }
}
