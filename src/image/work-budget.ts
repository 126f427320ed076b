import { unsupportedVariant } from "./image-errors.ts";
import type { ImageFormat } from "./pixels.ts";

/** What a byte that is read costs; overlapping strips make a decoder read bytes again and again. */
export const readByteUnits = 2;

/** The same for LZW, where a byte may hold a code that gives nothing. Each byte read once stays under the bound. */
export const readLzwByteUnits = 4;

/** What beginning a block costs; it may have ten bits and give nothing. */
export const blockUnits = 16;

/** What building the codes of a block costs: a block may have a dozen bytes and give none. */
export const dynamicBlockUnits = 512;

/**
 * Units per byte of the file and of the plain picture. Whatever an encoder writes stays under it: it reads each byte
 * once, and gives a block codes of its own only where that saves more than they take.
 */
const unitsPerByte = 4;

/** For pictures so small that their encoder saved little: some tens of milliseconds of work. */
const freeUnits = 2 ** 24;

/** Bounds the work of decoding one picture by its encoded bytes and the pixels that its header claims. */
export interface WorkBudget {
  /** @throws EmbedError `IMAGE_UNSUPPORTED` when there is nothing left to spend */
  spend(units: number): void;
}

/**
 * @param encodedBytes length of the file
 * @param plainBytes what the decompressed picture has
 * @param streams how many compressed streams make up the picture; each may have one small block
 */
export function createWorkBudget(
  format: ImageFormat,
  encodedBytes: number,
  plainBytes: number,
  streams: number,
): WorkBudget {
  let left = unitsPerByte * (encodedBytes + plainBytes) + streams * dynamicBlockUnits + freeUnits;
  return {
    spend: (units) => {
      left -= units;
      if (left >= 0) return;
      throw unsupportedVariant(
        format,
        `${encodedBytes} bytes that take far more work than their ${plainBytes} bytes of pixels need`,
      );
    },
  };
}
