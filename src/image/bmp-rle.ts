import { corruptImage } from "./image-errors.ts";

/**
 * Decodes BI_RLE8 or BI_RLE4 data to one palette index a pixel, rows in file order, reading escapes, deltas
 * and overlong runs as Pillow's BmpRleDecoder does.
 * @param offset where the data begins in the file: absolute runs are padded to even places in it
 * @throws EmbedError `IMAGE_CORRUPT` for data that ends before the last pixel
 */
export function decodeBmpRle(
  bytes: Uint8Array,
  offset: number,
  bits: 4 | 8,
  indices: Uint8Array,
  width: number,
): void {
  const size = indices.length;
  let filled = 0;
  let x = 0;
  let position = offset;
  while (filled < size && position + 1 < bytes.length) {
    const count = bytes[position]!;
    const value = bytes[position + 1]!;
    position += 2;
    if (count > 0) {
      const run = Math.max(0, Math.min(count, width - x));
      for (let i = 0; i < run; i++)
        indices[filled++] = bits === 8 ? value : i % 2 === 0 ? value >> 4 : value & 15;
      x += run;
    } else if (value === 0) {
      filled = Math.ceil(filled / width) * width;
      x = 0;
    } else if (value === 1) {
      break;
    } else if (value === 2) {
      if (position + 2 > bytes.length) break;
      filled = Math.min(size, filled + bytes[position]! + bytes[position + 1]! * width);
      x = filled % width;
      position += 2;
    } else {
      const run = Math.min(size - filled, value);
      const runBytes = bits === 8 ? run : (run + 1) >> 1;
      if (position + runBytes > bytes.length) break;
      for (let i = 0; i < run; i++) {
        const byte = bytes[position + (bits === 8 ? i : i >> 1)]!;
        indices[filled++] = bits === 8 ? byte : i % 2 === 0 ? byte >> 4 : byte & 15;
      }
      position += runBytes;
      x += value;
      position += position % 2;
    }
  }
  if (filled < size) throw corruptImage("bmp", `expected ${size} pixels, the run-length data has ${filled}`);
}
