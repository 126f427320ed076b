import type { FilterWeights } from "./filter-weights.ts";
import type { TensorSlot } from "./tensor-slot.ts";

export interface FilterTransform {
  readonly tile: 2 | 4;
  /** Floats from one plane to the next. */
  readonly plane: number;
  readonly weights: FilterWeights;
  readonly input: TensorSlot;
  readonly output: TensorSlot;
}

/**
 * G g G^T of each 3x3 filter (Lavin and Gray, arXiv 1509.09308, section 4), in float64: for each place of the tile a plane
 * of panels [channels][8].
 */
export function transformFilters(
  target: Float32Array,
  { tile, plane, weights, input, output }: FilterTransform,
): void {
  const { values, filterStep, channelStep, tapStep } = weights;
  const expand = tile === 2 ? expandTo4x4 : expandTo6x6;
  for (let panel = 0; panel < output.channels; panel += 8) {
    const until = Math.min(output.channels, panel + 8);
    for (let channel = 0; channel < input.channels; channel++) {
      const at = panel * input.stride + channel * 8 - panel;
      // The eight of a panel lie side by side in every plane.
      for (let filter = panel; filter < until; filter++) {
        const from = filter * filterStep + channel * channelStep;
        for (let tap = 0; tap < 9; tap++) taps[tap] = values[from + tap * tapStep]!;
        expand(target, at + filter, plane);
      }
    }
  }
}

/** g, and G g by columns: one for each 3x3 filter would be millions. */
const taps = new Float64Array(9);
const half = new Float64Array(18);

function expandTo4x4(target: Float32Array, at: number, plane: number): void {
  for (let x = 0; x < 3; x++) expandTo4(half, x, 3, taps[x]!, taps[x + 3]!, taps[x + 6]!);
  for (let y = 0; y < 4; y++) {
    expandTo4(target, at + 4 * y * plane, plane, half[3 * y]!, half[3 * y + 1]!, half[3 * y + 2]!);
  }
}

function expandTo6x6(target: Float32Array, at: number, plane: number): void {
  for (let x = 0; x < 3; x++) expandTo6(half, x, 3, taps[x]!, taps[x + 3]!, taps[x + 6]!);
  for (let y = 0; y < 6; y++) {
    expandTo6(target, at + 6 * y * plane, plane, half[3 * y]!, half[3 * y + 1]!, half[3 * y + 2]!);
  }
}

const [sixth, twelfth, twentyFourth] = [1 / 6, 1 / 12, 1 / 24];

type Floats = Float64Array | Float32Array;

/** G of F(2x2, 3x3) times (a, b, c): (a, (a + b + c) / 2, (a - b + c) / 2, c). */
function expandTo4(out: Floats, at: number, step: number, a: number, b: number, c: number): void {
  const sides = (a + c) / 2;
  const middle = b / 2;
  out[at] = a;
  out[at + step] = sides + middle;
  out[at + 2 * step] = sides - middle;
  out[at + 3 * step] = c;
}

/**
 * G of F(4x4, 3x3) times (a, b, c): (a / 4, -(a + b + c) / 6, -(a - b + c) / 6, a / 24 + b / 12 + c / 6,
 * a / 24 - b / 12 + c / 6, c).
 */
function expandTo6(out: Floats, at: number, step: number, a: number, b: number, c: number): void {
  const sides = (a + c) * sixth;
  const middle = b * sixth;
  const far = a * twentyFourth + c * sixth;
  const farMiddle = b * twelfth;
  out[at] = a / 4;
  out[at + step] = -sides - middle;
  out[at + 2 * step] = middle - sides;
  out[at + 3 * step] = far + farMiddle;
  out[at + 4 * step] = far - farMiddle;
  out[at + 5 * step] = c;
}
