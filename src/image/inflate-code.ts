/** Codes of up to this many bits are looked up at once; longer ones are found bit by bit. */
export const rootBits = 9;

const maxCodeBits = 15;
const maxSymbols = 288;

/** A prefix code of deflate, ready to decode; rebuilt in place from block to block. */
export interface InflateCode {
  /** By the next `rootBits` bits: symbol << 4 | code length; 0 for a longer code, or none. */
  readonly root: Uint16Array;
  /** How many codes there are of each length. */
  readonly counts: Uint16Array;
  /** The symbols in the order of their codes. */
  readonly symbols: Uint16Array;
}

export function createInflateCode(): InflateCode {
  return {
    root: new Uint16Array(1 << rootBits),
    counts: new Uint16Array(maxCodeBits + 1),
    symbols: new Uint16Array(maxSymbols),
  };
}

const nextPlaces = new Uint16Array(maxCodeBits + 2);
const nextCodes = new Uint16Array(maxCodeBits + 2);

/**
 * Builds a code from its lengths (RFC 1951, 3.2.2).
 * @param lengths bits of each symbol's code, 0 to 15; 0 for a symbol without one
 * @throws Error for lengths that no prefix code has. As zlib has it, the code may be incomplete only if it is empty
 *   or a single code of one bit
 */
export function buildInflateCode(code: InflateCode, lengths: Uint8Array): void {
  const { root, counts, symbols } = code;
  counts.fill(0);
  for (let i = 0; i < lengths.length; i++) counts[lengths[i]!]!++;
  counts[0] = 0;
  let free = 1;
  let total = 0;
  for (let length = 1; length <= maxCodeBits; length++) {
    nextPlaces[length] = total;
    nextCodes[length] = length === 1 ? 0 : (nextCodes[length - 1]! + counts[length - 1]!) << 1;
    total += counts[length]!;
    free = 2 * free - counts[length]!;
    if (free < 0) throw new Error("too many codes for their lengths");
  }
  if (free > 0 && total > 0 && !(total === 1 && counts[1] === 1))
    throw new Error("an incomplete set of codes");

  // A complete code of short codes alone sets every entry.
  if (free > 0 || nextPlaces[rootBits + 1]! < total) root.fill(0);
  for (let symbol = 0; symbol < lengths.length; symbol++) {
    const length = lengths[symbol]!;
    if (length === 0) continue;
    symbols[nextPlaces[length]!++] = symbol;
    const value = nextCodes[length]!++;
    if (length > rootBits) continue;
    // Codes lie in the stream with their high bit first, everything else with its low bit first.
    let reversed = 0;
    for (let bit = 0; bit < length; bit++) reversed |= ((value >> bit) & 1) << (length - 1 - bit);
    const entry = (symbol << 4) | length;
    for (let place = reversed; place < 1 << rootBits; place += 1 << length) root[place] = entry;
  }
}

/**
 * The code that `bits` begins with, found bit by bit.
 * @returns symbol << 4 | code length, or 0 if there is none
 */
export function findLongCode({ counts, symbols }: InflateCode, bits: number): number {
  let value = 0;
  let first = 0;
  let place = 0;
  for (let length = 1; length <= maxCodeBits; length++) {
    value |= (bits >>> (length - 1)) & 1;
    const count = counts[length]!;
    if (value - first < count) return (symbols[place + value - first]! << 4) | length;
    place += count;
    first = (first + count) << 1;
    value <<= 1;
  }
  return 0;
}

/** The codes of a block of type 1 (RFC 1951, 3.2.6). */
export const fixedLiterals = createInflateCode();
export const fixedDistances = createInflateCode();
const literalLengths = new Uint8Array(maxSymbols).fill(8).fill(9, 144, 256).fill(7, 256, 280);
buildInflateCode(fixedLiterals, literalLengths);
buildInflateCode(fixedDistances, new Uint8Array(32).fill(5));
