import { constants, deflateSync } from "node:zlib";
import { expect, test } from "vitest";
import { inflateInto, inflateThrough } from "./inflate-zlib.ts";
import { createWorkBudget } from "./work-budget.ts";

const text = new TextEncoder().encode("the same words again and again, ".repeat(10_000));
/** Little repeats: all three types of block, and matches from far back. */
const noise = Uint8Array.from({ length: 200_000 }, (_, i) => (Math.imul(i, i) >>> (i & 7)) ^ (i >> 9));
const zeros = new Uint8Array(300_000);
const plenty = () => createWorkBudget("png", 10_000_000, 0, 1);

function inflate(compressed: Uint8Array, size: number): Uint8Array {
  const out = new Uint8Array(size);
  return out.subarray(0, inflateInto(compressed, out, plenty()));
}

/** Takes all but the last few bytes of each piece, as a reader of rows does. */
function inflateInPieces(compressed: Uint8Array): Uint8Array {
  const pieces: Uint8Array[] = [];
  let left = new Uint8Array(0);
  const take = (bytes: Uint8Array, start: number, end: number) => {
    const until = Math.max(start, end - 5);
    pieces.push(bytes.slice(start, until));
    left = bytes.slice(until, end);
    return until;
  };
  inflateThrough(compressed, take, plenty());
  return Uint8Array.from(Buffer.concat([...pieces, left]));
}

const { Z_DEFAULT_STRATEGY, Z_FIXED, Z_HUFFMAN_ONLY, Z_RLE } = constants;
test.each([
  [0, Z_DEFAULT_STRATEGY],
  [1, Z_DEFAULT_STRATEGY],
  [9, Z_DEFAULT_STRATEGY],
  [9, Z_FIXED],
  [6, Z_HUFFMAN_ONLY],
  [6, Z_RLE],
])("inflates what zlib deflated at level %i, strategy %i", (level, strategy) => {
  for (const plain of [text, noise, zeros, new Uint8Array(0), Uint8Array.of(7)]) {
    const compressed = deflateSync(plain, { level, strategy });
    expect(Buffer.compare(inflate(compressed, plain.length), plain)).toBe(0);
    expect(Buffer.compare(inflateInPieces(compressed), plain)).toBe(0);
  }
});

test("stops when the target is full, and says how much there was when it is not", () => {
  const compressed = deflateSync(noise);
  expect(Buffer.compare(inflate(compressed, 1000), noise.subarray(0, 1000))).toBe(0);
  expect(inflate(compressed, noise.length + 1)).toHaveLength(noise.length);
  for (const length of [0, 1, 2, 3, 50, 1000, compressed.length - 6]) {
    const got = inflate(compressed.subarray(0, length), noise.length);
    expect(Buffer.compare(got, noise.subarray(0, got.length)), `cut to ${length}`).toBe(0);
  }
});

test("what does not fit is not inflated: a bomb costs what its target costs", () => {
  const bomb = deflateSync(new Uint8Array(64 * 2 ** 20), { level: 9 });
  let spent = 0;
  const budget = {
    spend: (units: number) => {
      spent += units;
    },
  };
  expect(inflateInto(bomb, new Uint8Array(300), budget)).toBe(300);
  expect(spent).toBeLessThan(1000);
});

test("what follows the stream is not looked at", () => {
  const trailed = new Uint8Array(1_000_000).fill(0xff);
  trailed.set(deflateSync(text));
  expect(inflate(trailed, text.length + 1)).toHaveLength(text.length);
});

/** Pillow 13.0.0 takes and refuses the same. */
test("the checksum must be right where the stream ends with its target, or be cut off", () => {
  const compressed = deflateSync(text);
  const damaged = Uint8Array.from(compressed);
  damaged[damaged.length - 1]! ^= 1;
  expect(() => inflate(damaged, text.length)).toThrow(/^expected the Adler-32 [0-9a-f]+, got [0-9a-f]+$/);
  expect(() => inflateInPieces(damaged)).toThrow("expected the Adler-32");
  expect(inflate(damaged, text.length - 1)).toHaveLength(text.length - 1);
  for (let cut = 1; cut <= 4; cut++) {
    expect(inflate(compressed.subarray(0, -cut), text.length)).toHaveLength(text.length);
  }
});

test.each<[string, readonly number[], string]>([
  ["no zlib stream", [1, 2, 3, 4, 5, 6], "expected the head of a zlib stream, got 0102"],
  ["a preset dictionary", [0x78, 0xbb, 0, 0, 0, 0], "expected the head of a zlib stream, got 78bb"],
  ["an illegal block type", [0x78, 0x9c, 7, 0, 0, 0], "expected a block of type 0 to 2, got 3"],
  ["a stored block", [0x78, 0x9c, 1, 5, 0, 0, 0], "the length of a stored block is damaged"],
  ["too many symbols", [0x78, 0x9c, 0xfd, 0xff, 0xff, 0xff], "too many symbols in a block's codes"],
  ["a match before the start", [0x78, 0x9c, 0x03, 0x02, 0, 0], "a match begins 1 bytes back, there are 0"],
])("%s is an error", (_, bytes, message) => {
  expect(() => inflate(Uint8Array.from(bytes), 10)).toThrow(message);
});

test("blocks that give nothing are paid for", () => {
  const emptyBlocks = new Uint8Array(2 + 5 * 1000);
  emptyBlocks.set([0x78, 0x9c]);
  for (let i = 2; i < emptyBlocks.length; i += 5) emptyBlocks.set([0, 0, 0, 255, 255], i);
  let spent = 0;
  const budget = {
    spend: (units: number) => {
      spent += units;
      if (spent > 20_000) throw new Error("spent");
    },
  };
  expect(() => inflateInto(emptyBlocks, new Uint8Array(20), budget)).toThrow("spent");
});
