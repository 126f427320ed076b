import { adler32 } from "./adler32.ts";
import { viewBytes } from "./byte-view.ts";
import { InflateBits } from "./inflate-bits.ts";
import {
  copyStoredBlock,
  type InflateTarget,
  inflateDynamicBlock,
  inflateFixedBlock,
} from "./inflate-block.ts";
import { blockUnits, dynamicBlockUnits, readByteUnits, type WorkBudget } from "./work-budget.ts";

/** Matches reach this far back (RFC 1951, 2). */
const maxDistance = 32768;

/** Inflated bytes that are handed on at once: few enough for a processor's cache. */
const windowBytes = maxDistance + 128 * 1024;

/** By the block's type. */
const blockReaders = [copyStoredBlock, inflateFixedBlock, inflateDynamicBlock] as const;

interface ZlibTarget extends InflateTarget {
  /** The Adler-32 of all that was inflated. */
  checksum(): number;
}

/**
 * Takes some of the bytes from `start` to `end` and returns up to where it took them. What it leaves comes again
 * with what follows; it leaves less than `maxDistance` bytes.
 */
export type TakeInflated = (bytes: Uint8Array, start: number, end: number) => number;

/**
 * Inflates into `out` and stops when it is full: what does not fit is never inflated.
 * @returns how many bytes of `out` were filled
 * @throws as `inflateZlib`
 */
export function inflateInto(compressed: Uint8Array, out: Uint8Array, budget: WorkBudget): number {
  const target: ZlibTarget = {
    buffer: out,
    filled: 0,
    makeRoom: () => false,
    checksum: () => adler32(1, out, 0, target.filled),
  };
  inflateZlib(compressed, target, budget);
  return target.filled;
}

/**
 * Inflates piece by piece through a small window. `take` ends it by an exception.
 * @throws as `inflateZlib`, and whatever `take` throws
 */
export function inflateThrough(compressed: Uint8Array, take: TakeInflated, budget: WorkBudget): void {
  const buffer = new Uint8Array(windowBytes);
  let sum = 1;
  let summed = 0;
  let taken = 0;
  const handOn = () => {
    sum = adler32(sum, buffer, summed, target.filled);
    summed = target.filled;
    taken = take(buffer, taken, target.filled);
  };
  const target: ZlibTarget = {
    buffer,
    filled: 0,
    makeRoom: () => {
      handOn();
      const dropped = Math.min(taken, target.filled - maxDistance);
      buffer.copyWithin(0, dropped, target.filled);
      target.filled -= dropped;
      summed -= dropped;
      taken -= dropped;
      return true;
    },
    checksum: () => adler32(sum, buffer, summed, target.filled),
  };
  inflateZlib(compressed, target, budget);
  handOn();
}

/**
 * Inflates a zlib stream (RFC 1950) until its target is full. A stream that ends there must have the right checksum,
 * unless that is cut off: Pillow sees it so. What follows the stream is not looked at.
 * @throws Error for broken data, EmbedError `IMAGE_UNSUPPORTED` when the budget is spent; data that is cut short is
 *   no error
 */
function inflateZlib(compressed: Uint8Array, target: ZlibTarget, budget: WorkBudget): void {
  const bits = new InflateBits(compressed);
  const head = (bits.read(8) << 8) | bits.read(8);
  if (bits.isPastEnd()) return;
  // Deflate, a window of at most 32 KB, no preset dictionary, and a check of the head itself (2.2).
  if ((head & 0x0f20) !== 0x0800 || head >> 12 > 7 || head % 31 !== 0) {
    throw new Error(`expected the head of a zlib stream, got ${head.toString(16).padStart(4, "0")}`);
  }
  let charged = 0;
  for (let isLast = false; !isLast; ) {
    isLast = bits.read(1) === 1;
    const type = bits.read(2);
    if (bits.isPastEnd()) return;
    if (type === 3) throw new Error("expected a block of type 0 to 2, got 3");
    budget.spend(type === 2 ? dynamicBlockUnits : blockUnits);
    const end = blockReaders[type]!(bits, target);
    budget.spend((bits.position - charged) * readByteUnits);
    charged = bits.position;
    if (end !== "whole") return;
  }
  bits.alignToByte();
  if (bits.position + 4 > compressed.length) return;
  const expected = viewBytes(compressed).getUint32(bits.position);
  const actual = target.checksum();
  if (expected !== actual) {
    throw new Error(`expected the Adler-32 ${expected.toString(16)}, got ${actual.toString(16)}`);
  }
}
