import { corruptImage } from "./image-errors.ts";
import { readLzwByteUnits, type WorkBudget } from "./work-budget.ts";

const clearCode = 256;
const endCode = 257;
const firstFreeCode = 258;
const minCodeBits = 9;
const maxCodeBits = 12;
const tableSize = 1 << maxCodeBits;

/** Decodes one strip or tile into `out`; returns how many bytes of `out` were filled. */
export type DecodeTiffLzw = (bytes: Uint8Array, out: Uint8Array, budget: WorkBudget) => number;

/**
 * A decoder of TIFF's LZW (TIFF 6.0, section 13: codes from the high bit down, widened one code early) that stops when
 * `out` is full. It keeps its tables from segment to segment; entries are always written before they are read.
 * It throws EmbedError `IMAGE_CORRUPT` for a code that is not defined yet, `IMAGE_UNSUPPORTED` when the budget is spent.
 */
export function createTiffLzwDecoder(): DecodeTiffLzw {
  const prefixes = new Uint16Array(tableSize);
  const suffixes = new Uint8Array(tableSize);
  const lengths = new Uint16Array(tableSize);
  for (let code = 0; code < 256; code++) {
    suffixes[code] = code;
    lengths[code] = 1;
  }
  return (bytes, out, budget) => {
    const { filled, read } = decode(bytes, out, { prefixes, suffixes, lengths });
    budget.spend(read * readLzwByteUnits);
    return filled;
  };
}

interface Tables {
  readonly prefixes: Uint16Array;
  readonly suffixes: Uint8Array;
  readonly lengths: Uint16Array;
}

function decode(
  bytes: Uint8Array,
  out: Uint8Array,
  { prefixes, suffixes, lengths }: Tables,
): { filled: number; read: number } {
  let codeBits = minCodeBits;
  let nextCode = firstFreeCode;
  let previous = -1;
  let bits = 0;
  let bitCount = 0;
  let position = 0;
  let filled = 0;

  while (filled < out.length) {
    while (bitCount < codeBits) {
      if (position === bytes.length) return { filled, read: position };
      bits = ((bits << 8) | bytes[position++]!) & 0xffffff;
      bitCount += 8;
    }
    bitCount -= codeBits;
    const code = (bits >> bitCount) & ((1 << codeBits) - 1);
    if (code === endCode) break;
    if (code === clearCode) {
      codeBits = minCodeBits;
      nextCode = firstFreeCode;
      previous = -1;
      continue;
    }
    if (previous < 0 ? code > 255 : code > nextCode || (nextCode === tableSize && code === nextCode)) {
      throw corruptImage("tiff", `LZW code ${code} stands before it is defined`);
    }
    // A code that is being defined stands for the previous string and its own first byte.
    const repeats = code === nextCode;
    const length = repeats ? lengths[previous]! + 1 : lengths[code]!;
    let link = repeats ? previous : code;
    let to = filled + length - 1;
    if (repeats) to--;
    for (; to > filled; to--) {
      out[to] = suffixes[link]!;
      link = prefixes[link]!;
    }
    out[filled] = link;
    if (repeats) out[filled + length - 1] = link;
    if (previous >= 0 && nextCode < tableSize) {
      prefixes[nextCode] = previous;
      suffixes[nextCode] = link;
      lengths[nextCode] = lengths[previous]! + 1;
      nextCode++;
      if (nextCode === (1 << codeBits) - 1 && codeBits < maxCodeBits) codeBits++;
    }
    previous = code;
    filled = Math.min(out.length, filled + length);
  }
  return { filled, read: position };
}
