/**
 * The sample at `index` of a row of 1, 2, 4 or 8 bit samples, the first one in the highest bits, as PNG, BMP
 * and TIFF pack them.
 */
export function readSample(row: Uint8Array, index: number, bits: number): number {
  if (bits === 8) return row[index]!;
  const bit = index * bits;
  return (row[bit >> 3]! >> (8 - bits - (bit & 7))) & ((1 << bits) - 1);
}

/** What stretches a sample of 1, 2, 4 or 8 bits to 0..255: 255, 85, 17 or 1. */
export function greyScale(bits: number): number {
  return 255 / ((1 << bits) - 1);
}
