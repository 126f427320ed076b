import { predictPaeth } from "./png-unfilter.ts";

/**
 * Filters a row with the filter whose bytes, taken as signed, have the least sum (PNG specification, 9.2 and 12.7).
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
  const filter = chooseFilter(row, above, pixelBytes);
  for (let i = 0; i < row.length; i++) {
    const left = i < pixelBytes ? 0 : row[i - pixelBytes]!;
    const up = above[i]!;
    let predicted = 0;
    if (filter === 1) predicted = left;
    else if (filter === 2) predicted = up;
    else if (filter === 3) predicted = (left + up) >> 1;
    else if (filter === 4) predicted = predictPaeth(left, up, i < pixelBytes ? 0 : above[i - pixelBytes]!);
    out[i] = row[i]! - predicted;
  }
  return filter;
}

/** All five sums in one pass over the row: with one pass for each filter a PNG takes twice as long. */
function chooseFilter(row: Uint8Array, above: Uint8Array, pixelBytes: number): number {
  let [none, sub, up, average, paeth] = [0, 0, 0, 0, 0];
  for (let i = 0; i < row.length; i++) {
    const value = row[i]!;
    const isFirst = i < pixelBytes;
    const left = isFirst ? 0 : row[i - pixelBytes]!;
    const over = above[i]!;
    none += signedSize(value);
    sub += signedSize(value - left);
    up += signedSize(value - over);
    average += signedSize(value - ((left + over) >> 1));
    paeth += signedSize(value - predictPaeth(left, over, isFirst ? 0 : above[i - pixelBytes]!));
  }
  const sums = [none, sub, up, average, paeth];
  return sums.indexOf(Math.min(...sums));
}

/** The size of a byte, of which only the lowest 8 bits count, as a signed number: 0 to 128. */
function signedSize(value: number): number {
  return Math.abs((value << 24) >> 24);
}
