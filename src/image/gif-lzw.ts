import { assertReaches } from "./byte-view.ts";
import { corruptImage } from "./image-errors.ts";

const maxCodeBits = 12;
const tableSize = 1 << maxCodeBits;

/**
 * Decodes the LZW data of one GIF frame (GIF89a specification, appendix F) and stops when `indices` is full.
 * As in Pillow a full table is kept until the next clear code, and a sub-block counts only when it is whole.
 * @param offset where the minimum code size lies
 * @throws EmbedError `IMAGE_CORRUPT` for broken or missing data
 */
export function decodeGifLzw(bytes: Uint8Array, offset: number, indices: Uint8Array): void {
  assertReaches(bytes, offset + 1, "gif", "the LZW minimum code size");
  const minBits = bytes[offset]!;
  // Codes of the table's first free entry must fit, or nothing could be added.
  if (minBits < 1 || minBits >= maxCodeBits) {
    throw corruptImage("gif", `expected an LZW minimum code size of 1 to 11, got ${minBits}`);
  }
  const clearCode = 1 << minBits;
  const endCode = clearCode + 1;
  const suffixes = new Uint8Array(tableSize);
  const prefixes = new Uint16Array(tableSize);
  const string = new Uint8Array(tableSize);

  let codeBits = minBits + 1;
  let nextCode = endCode + 1;
  let previousCode = -1;
  let firstSuffix = 0;
  let bits = 0;
  let bitCount = 0;
  let position = offset + 1;
  let blockEnd = position;
  let filled = 0;

  while (filled < indices.length) {
    while (bitCount < codeBits) {
      if (position === blockEnd) {
        assertReaches(bytes, position + 1, "gif", "the frame's data");
        blockEnd = position + 1 + bytes[position]!;
        assertReaches(bytes, blockEnd, "gif", "the frame's data");
        if (bytes[position] === 0) {
          throw corruptImage(
            "gif",
            `expected ${indices.length} pixels in the first frame, its data has ${filled}`,
          );
        }
        position++;
      }
      bits |= bytes[position++]! << bitCount;
      bitCount += 8;
    }
    const code = bits & ((1 << codeBits) - 1);
    bits >>>= codeBits;
    bitCount -= codeBits;

    if (code === clearCode) {
      codeBits = minBits + 1;
      nextCode = endCode + 1;
      previousCode = -1;
      continue;
    }
    if (code === endCode) {
      throw corruptImage(
        "gif",
        `expected ${indices.length} pixels in the first frame, its data has ${filled}`,
      );
    }
    if (code > (previousCode < 0 ? clearCode : nextCode)) {
      throw corruptImage("gif", `LZW code ${code} stands before it is defined`);
    }
    if (previousCode < 0) {
      indices[filled++] = code;
      firstSuffix = code;
      previousCode = code;
      continue;
    }

    // The string of a code is found from its end; it is written out backwards.
    let length = 0;
    let link = code;
    if (code === nextCode) {
      string[length++] = firstSuffix;
      link = previousCode;
    }
    while (link >= clearCode) {
      if (length >= tableSize || link >= tableSize) throw corruptImage("gif", `LZW code ${code} has no end`);
      string[length++] = suffixes[link]!;
      link = prefixes[link]!;
    }
    firstSuffix = link;
    string[length === tableSize ? tableSize - 1 : length++] = link;
    while (length > 0 && filled < indices.length) indices[filled++] = string[--length]!;

    if (nextCode < tableSize) {
      suffixes[nextCode] = firstSuffix;
      prefixes[nextCode] = previousCode;
      nextCode++;
      if (nextCode === 1 << codeBits && codeBits < maxCodeBits) codeBits++;
    }
    previousCode = code;
  }
}
