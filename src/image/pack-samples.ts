/**
 * The sample at `index` of a row of 1, 2, 4 or 8 bit samples that begins at `row[start]`, the first sample in the
 * highest bits, as PNG and BMP pack them.
 */
export function readSample(row: Uint8Array, start: number, index: number, bits: number): number {
  if (bits === 8) return row[start + index]!;
  const bit = index * bits;
  return (row[start + (bit >> 3)]! >> (8 - bits - (bit & 7))) & ((1 << bits) - 1);
}

/** What stretches a sample of 1, 2, 4 or 8 bits to 0..255: 255, 85, 17 or 1. */
export function greyScale(bits: number): number {
  return 255 / ((1 << bits) - 1);
}
