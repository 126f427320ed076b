import { corruptImage } from "./image-errors.ts";
import type { HuffmanTable, JpegBitReader } from "./jpeg-huffman.ts";
import { naturalOrder } from "./jpeg-zigzag.ts";

/** What a scan says of its blocks (ITU-T T.81, B.2.3). */
export interface BlockScan {
  readonly dc: HuffmanTable | undefined;
  readonly ac: HuffmanTable | undefined;
  /** First and last coefficient, in zigzag order. */
  readonly start: number;
  readonly stop: number;
  /** Successive approximation: bit positions before and after this scan. */
  readonly high: number;
  readonly low: number;
  readonly progressive: boolean;
  /** Of each block, the last coefficient of a progressive scan so far, in zigzag order: what follows is zero. */
  readonly lastCoefficients: Uint8Array;
}

export interface BlockDecoder {
  /** Decodes the next block into the 64 coefficients at `offset`. */
  decodeBlock(offset: number): void;
  /** Forgets what a restart forgets: the DC prediction and a run of empty blocks. */
  reset(): void;
}

/**
 * A decoder of one component's blocks in one scan.
 * @throws EmbedError `IMAGE_CORRUPT` if the scan needs a table that is not there
 */
export function createBlockDecoder(reader: JpegBitReader, out: Int16Array, scan: BlockScan): BlockDecoder {
  const state = { prediction: 0, emptyBlocks: 0 };
  const reset = () => {
    state.prediction = 0;
    state.emptyBlocks = 0;
  };
  const { start, stop, high, low } = scan;
  const needsDc = start === 0 && high === 0;
  const needsAc = stop > 0 && (!scan.progressive || start > 0);
  if ((needsDc && !scan.dc) || (needsAc && !scan.ac)) {
    throw corruptImage("jpeg", "the scan needs a Huffman table that is not defined");
  }
  const readDc = (offset: number) => {
    state.prediction += reader.readSigned(reader.readSymbol(scan.dc!));
    out[offset] = state.prediction << low;
  };
  if (!scan.progressive) {
    return {
      reset,
      decodeBlock: (offset) => {
        readDc(offset);
        readSequentialAc(reader, scan.ac!, out, offset);
      },
    };
  }
  if (start === 0) {
    const refineDc = (offset: number) => {
      if (reader.read(1)) out[offset] = out[offset]! | (1 << low);
    };
    return { reset, decodeBlock: high === 0 ? readDc : refineDc };
  }
  return {
    reset,
    decodeBlock: (offset) => {
      if (high === 0) readFirstAc(reader, scan, out, offset, state);
      else refineAc(reader, scan, out, offset, state);
    },
  };
}

/** F.2.2.2 */
function readSequentialAc(reader: JpegBitReader, table: HuffmanTable, out: Int16Array, offset: number): void {
  for (let k = 1; k < 64; k++) {
    const symbol = reader.readSymbol(table);
    const size = symbol & 15;
    const run = symbol >> 4;
    if (size === 0 && run < 15) return;
    k += run;
    const value = reader.readSigned(size);
    if (k < 64) out[offset + naturalOrder[k]!] = value;
  }
}

/** G.1.2.2 */
function readFirstAc(
  reader: JpegBitReader,
  { ac, start, stop, low, lastCoefficients }: BlockScan,
  out: Int16Array,
  offset: number,
  state: { emptyBlocks: number },
): void {
  if (state.emptyBlocks > 0) {
    state.emptyBlocks--;
    return;
  }
  for (let k = start; k <= stop; k++) {
    const symbol = reader.readSymbol(ac!);
    const size = symbol & 15;
    const run = symbol >> 4;
    if (size === 0 && run < 15) {
      state.emptyBlocks = (1 << run) - 1 + reader.read(run);
      return;
    }
    k += run;
    const value = reader.readSigned(size) << low;
    if (k >= 64) continue;
    out[offset + naturalOrder[k]!] = value;
    lastCoefficients[offset >> 6] = Math.max(k, lastCoefficients[offset >> 6]!);
  }
}

/** G.1.2.3: new coefficients of one more bit, and one more bit for each that is there. */
function refineAc(
  reader: JpegBitReader,
  { ac, start, stop, low, lastCoefficients }: BlockScan,
  out: Int16Array,
  offset: number,
  state: { emptyBlocks: number },
): void {
  const bit = 1 << low;
  let k = start;
  if (state.emptyBlocks === 0) {
    for (; k <= stop; k++) {
      const symbol = reader.readSymbol(ac!);
      let run = symbol >> 4;
      let created = 0;
      if ((symbol & 15) === 0) {
        if (run < 15) {
          state.emptyBlocks = (1 << run) + reader.read(run);
          break;
        }
      } else {
        created = reader.read(1) ? bit : -bit;
      }
      for (; k <= stop; k++) {
        const index = offset + naturalOrder[k]!;
        if (out[index] !== 0) refine(reader, out, index, bit);
        else if (run-- === 0) {
          if (created !== 0) {
            out[index] = created;
            lastCoefficients[offset >> 6] = Math.max(k, lastCoefficients[offset >> 6]!);
          }
          break;
        }
      }
    }
  }
  if (state.emptyBlocks === 0) return;
  state.emptyBlocks--;
  const last = Math.min(stop, lastCoefficients[offset >> 6]!);
  for (; k <= last; k++) {
    const index = offset + naturalOrder[k]!;
    if (out[index] !== 0) refine(reader, out, index, bit);
  }
}

/** One more bit of a coefficient that is not zero. */
function refine(reader: JpegBitReader, out: Int16Array, index: number, bit: number): void {
  const value = out[index]!;
  if (reader.read(1) && (value & bit) === 0) out[index] = value + (value >= 0 ? bit : -bit);
}
