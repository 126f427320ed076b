import { predictPaeth } from "./png-unfilter.ts";

/** How each filter foretells a byte by those of the pixels to its left, above it, and above to the left (PNG specification, 9.2). */
const predictors: readonly ((left: number, above: number, aboveLeft: number) => number)[] = [
  () => 0,
  (left) => left,
  (_left, above) => above,
  (left, above) => (left + above) >> 1,
  predictPaeth,
];

/**
 * Filters a row with the filter whose bytes, taken as signed, have the least sum: the rule of 12.7.
 * @param row the bytes of the row
 * @param above those of the row above, zeros for the first
 * @param pixelBytes bytes a pixel
 * @param out receives the filtered bytes
 * @returns the number of the filter, 0 to 4
 */
export function filterPngRow(
  row: Uint8Array,
  above: Uint8Array,
  pixelBytes: number,
  out: Uint8Array,
): number {
  const candidate = new Uint8Array(row.length);
  let best = 0;
  let least = Number.POSITIVE_INFINITY;
  for (const [filter, predict] of predictors.entries()) {
    let sum = 0;
    for (let i = 0; i < row.length; i++) {
      const left = i < pixelBytes ? 0 : row[i - pixelBytes]!;
      const aboveLeft = i < pixelBytes ? 0 : above[i - pixelBytes]!;
      const value = (row[i]! - predict(left, above[i]!, aboveLeft)) & 255;
      candidate[i] = value;
      sum += value < 128 ? value : 256 - value;
    }
    if (sum >= least) continue;
    least = sum;
    best = filter;
    out.set(candidate);
  }
  return best;
}
