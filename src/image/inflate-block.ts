import type { InflateBits } from "./inflate-bits.ts";
import {
  buildInflateCode,
  createInflateCode,
  findLongCode,
  fixedDistances,
  fixedLiterals,
  type InflateCode,
  rootBits,
} from "./inflate-code.ts";

/** Where the inflated bytes go. */
export interface InflateTarget {
  /** What is filled of it is also what matches copy from: the last 32768 bytes at least, or all there were. */
  readonly buffer: Uint8Array;
  filled: number;
  /** Called when `buffer` is full and there is more; returns whether there is room now. */
  makeRoom(): boolean;
}

/** How a block ended: the next one follows, its target is full, or the data is cut short. */
export type BlockEnd = "whole" | "full" | "cut";

/** By code - 257: the shortest match, and how many bits say what is added to it (RFC 1951, 3.2.5). */
const lengthBits = Uint8Array.from({ length: 29 }, (_, i) => (i < 4 || i === 28 ? 0 : (i - 4) >> 2));
const lengthBases = Uint16Array.from({ length: 29 }, (_, i) =>
  i < 4 ? 3 + i : i === 28 ? 258 : 3 + ((4 + (i & 3)) << ((i - 4) >> 2)),
);
/** By code: the shortest distance, and its further bits. */
const distanceBits = Uint8Array.from({ length: 30 }, (_, i) => (i < 2 ? 0 : (i - 2) >> 1));
const distanceBases = Uint16Array.from({ length: 30 }, (_, i) =>
  i < 2 ? 1 + i : 1 + ((2 + (i & 1)) << ((i - 2) >> 1)),
);

/** The order in which a block gives the lengths of the code for its lengths (RFC 1951, 3.2.7). */
const lengthOrder = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15] as const;

const endOfBlock = 256;
/** From this length on, a call that copies is quicker than a loop. */
const longMatch = 48;

const lengthScratch = new Uint8Array(286 + 30);
const lengthsCode = createInflateCode();
const literals = createInflateCode();
const distances = createInflateCode();

/** A block of type 0 (RFC 1951, 3.2.4). */
export function copyStoredBlock(bits: InflateBits, target: InflateTarget): BlockEnd {
  bits.alignToByte();
  const length = bits.read(16);
  const complement = bits.read(16);
  if (bits.isPastEnd()) return "cut";
  if (complement !== (length ^ 0xffff)) throw new Error("the length of a stored block is damaged");
  bits.alignToByte();
  const end = bits.position + length;
  const lastEnd = Math.min(end, bits.bytes.length);
  while (bits.position < lastEnd) {
    if (target.filled === target.buffer.length && !target.makeRoom()) return "full";
    const count = Math.min(lastEnd - bits.position, target.buffer.length - target.filled);
    target.buffer.set(bits.bytes.subarray(bits.position, bits.position + count), target.filled);
    target.filled += count;
    bits.position += count;
  }
  return lastEnd < end ? "cut" : "whole";
}

/** A block of type 1 (RFC 1951, 3.2.6). */
export function inflateFixedBlock(bits: InflateBits, target: InflateTarget): BlockEnd {
  return inflateSymbols(bits, target, fixedLiterals, fixedDistances);
}

/** A block of type 2 (RFC 1951, 3.2.7). */
export function inflateDynamicBlock(bits: InflateBits, target: InflateTarget): BlockEnd {
  const literalCount = 257 + bits.read(5);
  const distanceCount = 1 + bits.read(5);
  const lengthCount = 4 + bits.read(4);
  if (literalCount > 286 || distanceCount > 30) throw new Error("too many symbols in a block's codes");
  const orderedLengths = lengthScratch.subarray(0, lengthOrder.length).fill(0);
  for (let i = 0; i < lengthCount; i++) orderedLengths[lengthOrder[i]!] = bits.read(3);
  if (bits.isPastEnd()) return "cut";
  buildInflateCode(lengthsCode, orderedLengths);

  const lengths = lengthScratch.subarray(0, literalCount + distanceCount);
  for (let i = 0; i < lengths.length; ) {
    bits.fill();
    const entry = lengthsCode.root[bits.held & ((1 << rootBits) - 1)]!;
    if (entry === 0) throw new Error("a code length has no code");
    bits.drop(entry & 15);
    const symbol = entry >> 4;
    if (symbol < 16) {
      lengths[i++] = symbol;
    } else {
      if (symbol === 16 && i === 0) throw new Error("there is no code length to repeat");
      const repeated = symbol === 16 ? lengths[i - 1]! : 0;
      const count = symbol === 16 ? 3 + bits.read(2) : symbol === 17 ? 3 + bits.read(3) : 11 + bits.read(7);
      if (i + count > lengths.length) throw new Error("too many code lengths");
      lengths.fill(repeated, i, i + count);
      i += count;
    }
    if (bits.isPastEnd()) return "cut";
  }
  if (lengths[endOfBlock] === 0) throw new Error("a block has no code for its end");
  buildInflateCode(literals, lengths.subarray(0, literalCount));
  buildInflateCode(distances, lengths.subarray(literalCount));
  return inflateSymbols(bits, target, literals, distances);
}

/** The bits' state is kept in variables: this loop takes nearly all of the time. */
function inflateSymbols(
  bits: InflateBits,
  target: InflateTarget,
  literalCode: InflateCode,
  distanceCode: InflateCode,
): BlockEnd {
  const { bytes } = bits;
  const { buffer } = target;
  const size = buffer.length;
  const literalRoot = literalCode.root;
  const distanceRoot = distanceCode.root;
  const rootMask = (1 << rootBits) - 1;
  let { position, held, heldCount } = bits;
  let { filled } = target;
  let blockEnd: BlockEnd = "full";

  for (;;) {
    while (heldCount < 24) {
      if (position < bytes.length) held |= bytes[position]! << heldCount;
      position++;
      heldCount += 8;
    }
    const entry = literalRoot[held & rootMask]! || findLongCode(literalCode, held);
    if (entry === 0) {
      if (position > bytes.length) {
        blockEnd = "cut";
        break;
      }
      throw new Error("a symbol has no code");
    }
    held >>>= entry & 15;
    heldCount -= entry & 15;
    const symbol = entry >> 4;
    if (symbol < endOfBlock) {
      if (position > bytes.length && position - (heldCount >> 3) > bytes.length) {
        blockEnd = "cut";
        break;
      }
      if (filled === size) {
        target.filled = filled;
        if (!target.makeRoom()) break;
        filled = target.filled;
      }
      buffer[filled++] = symbol;
      continue;
    }
    if (symbol === endOfBlock) {
      blockEnd = position - (heldCount >> 3) > bytes.length ? "cut" : "whole";
      break;
    }

    const lengthCode = symbol - 257;
    if (lengthCode > 28) throw new Error("a length of no meaning");
    const extra = lengthBits[lengthCode]!;
    let length = lengthBases[lengthCode]! + (held & ((1 << extra) - 1));
    held >>>= extra;
    heldCount -= extra;
    while (heldCount < 24) {
      if (position < bytes.length) held |= bytes[position]! << heldCount;
      position++;
      heldCount += 8;
    }
    const found = distanceRoot[held & rootMask]! || findLongCode(distanceCode, held);
    held >>>= found & 15;
    heldCount -= found & 15;
    while (heldCount < 24) {
      if (position < bytes.length) held |= bytes[position]! << heldCount;
      position++;
      heldCount += 8;
    }
    const further = distanceBits[found >> 4] ?? 0;
    const distance = found === 0 ? 0 : distanceBases[found >> 4]! + (held & ((1 << further) - 1));
    held >>>= further;
    heldCount -= further;
    if (position > bytes.length && position - (heldCount >> 3) > bytes.length) {
      blockEnd = "cut";
      break;
    }
    if (found === 0 || found >> 4 > 29) throw new Error("a distance of no meaning");
    if (distance > filled) throw new Error(`a match begins ${distance} bytes back, there are ${filled}`);

    while (length > 0) {
      if (filled === size) {
        target.filled = filled;
        if (!target.makeRoom()) break;
        filled = target.filled;
      }
      const count = Math.min(length, size - filled);
      const from = filled - distance;
      if (count >= longMatch && distance === 1) buffer.fill(buffer[from]!, filled, filled + count);
      else if (count >= longMatch && distance >= count) buffer.copyWithin(filled, from, from + count);
      else for (let i = 0; i < count; i++) buffer[filled + i] = buffer[from + i]!;
      filled += count;
      length -= count;
    }
    if (length > 0) break;
  }
  bits.position = position;
  bits.held = held;
  bits.heldCount = heldCount;
  target.filled = filled;
  return blockEnd;
}
