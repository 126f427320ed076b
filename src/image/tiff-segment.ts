import { assertReaches } from "./byte-view.ts";
import { type TiffHeader, tiffCompression } from "./header-tiff.ts";
import { corruptImage } from "./image-errors.ts";
import { inflateInto } from "./inflate-bounded.ts";
import type { TiffLayout } from "./tiff-layout.ts";
import { decodeTiffLzw } from "./tiff-lzw.ts";

/**
 * The plain rows of one strip or tile.
 * @param index which segment, counted through all planes
 * @param rows rows to decode
 * @param samples samples a pixel within the segment
 * @returns (rows, layout.width, samples) uint8; a view on the file if nothing is compressed
 * @throws EmbedError `IMAGE_CORRUPT` for data that is broken or too short
 */
export function readTiffSegment(
  bytes: Uint8Array,
  header: TiffHeader,
  layout: TiffLayout,
  index: number,
  rows: number,
  samples: number,
): Uint8Array {
  const what = `${layout.tiled ? "tile" : "strip"} ${index}`;
  const start = layout.offsets.at(index);
  const rowBytes = layout.width * samples;
  const needed = rows * rowBytes;
  if (header.compression === tiffCompression.none) {
    assertReaches(bytes, start + needed, "tiff", what);
    return bytes.subarray(start, start + needed);
  }
  // A length past the file's end is common; the data may be whole all the same.
  const compressed = bytes.subarray(start, start + layout.byteCounts!.at(index));
  const plain = new Uint8Array(needed);
  const filled = expand(header.compression, compressed, plain, what);
  if (filled < needed) {
    throw corruptImage("tiff", `truncated: expected ${needed} bytes in ${what}, its data has ${filled}`);
  }
  if (header.hasPredictor) addDifferences(plain, rowBytes, samples);
  return plain;
}

function expand(compression: number, compressed: Uint8Array, plain: Uint8Array, what: string): number {
  if (compression === tiffCompression.lzw) return decodeTiffLzw(compressed, plain);
  try {
    return inflateInto(compressed, plain);
  } catch (error) {
    throw corruptImage("tiff", `the compressed data of ${what} is broken`, error);
  }
}

/** Undoes predictor 2 (TIFF 6.0, section 14). */
function addDifferences(plain: Uint8Array, rowBytes: number, samples: number): void {
  for (let row = 0; row < plain.length; row += rowBytes) {
    for (let i = row + samples; i < row + rowBytes; i++) plain[i] = plain[i]! + plain[i - samples]!;
  }
}
