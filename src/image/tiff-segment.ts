import { EmbedError } from "../errors.ts";
import { assertReaches } from "./byte-view.ts";
import { type TiffHeader, tiffCompression } from "./header-tiff.ts";
import { corruptImage } from "./image-errors.ts";
import { inflateInto } from "./inflate-zlib.ts";
import type { TiffLayout } from "./tiff-layout.ts";
import { createTiffLzwDecoder } from "./tiff-lzw.ts";
import { createWorkBudget } from "./work-budget.ts";

/** Reads the plain rows of one strip or tile; `index` counts through all planes. */
export type ReadTiffSegment = (index: number, rows: number) => Uint8Array;

/**
 * A reader of one picture's segments. What it returns holds until the next one is read: (rows, layout.width, samples)
 * uint8, a view on the file if nothing is compressed. It throws EmbedError `IMAGE_CORRUPT` for data that is broken
 * or too short, and `IMAGE_UNSUPPORTED` for segments that share data and so take far more work than the file and
 * its pixels account for.
 * @param samples samples a pixel within a segment
 * @param planes how many planes will be read
 */
export function createTiffSegmentReader(
  bytes: Uint8Array,
  header: TiffHeader,
  layout: TiffLayout,
  samples: number,
  planes: number,
): ReadTiffSegment {
  const rowBytes = layout.width * samples;
  const room = header.compression === tiffCompression.none ? 0 : layout.height * rowBytes;
  const scratch = new Uint8Array(room);
  const segments = layout.across * layout.down * planes;
  const budget = createWorkBudget("tiff", bytes.length, room * segments, segments);
  const decodeLzw = createTiffLzwDecoder();

  return (index, rows) => {
    const what = `${layout.tiled ? "tile" : "strip"} ${index}`;
    const start = layout.offsets.at(index);
    const needed = rows * rowBytes;
    if (header.compression === tiffCompression.none) {
      assertReaches(bytes, start + needed, "tiff", what);
      return bytes.subarray(start, start + needed);
    }
    // A length past the file's end is common; the data may be whole all the same.
    const compressed = bytes.subarray(start, start + layout.byteCounts!.at(index));
    const plain = scratch.subarray(0, needed);
    let filled: number;
    try {
      filled =
        header.compression === tiffCompression.lzw
          ? decodeLzw(compressed, plain, budget)
          : inflateInto(compressed, plain, budget);
    } catch (error) {
      if (error instanceof EmbedError) throw error;
      throw corruptImage("tiff", `the compressed data of ${what} is broken`, error);
    }
    if (filled < needed) {
      throw corruptImage("tiff", `truncated: expected ${needed} bytes in ${what}, its data has ${filled}`);
    }
    if (header.hasPredictor) addDifferences(plain, rowBytes, samples);
    return plain;
  };
}

/** Undoes predictor 2 (TIFF 6.0, section 14). */
function addDifferences(plain: Uint8Array, rowBytes: number, samples: number): void {
  for (let row = 0; row < plain.length; row += rowBytes) {
    for (let i = row + samples; i < row + rowBytes; i++) plain[i] = plain[i]! + plain[i - samples]!;
  }
}
