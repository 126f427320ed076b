import { expect, test } from "vitest";
import { adler32 } from "./adler32.ts";

test.each<[string, Uint8Array, number]>([
  ["nothing", new Uint8Array(0), 1],
  ["a word", new TextEncoder().encode("Wikipedia"), 0x11e60398],
  ["the highest bytes, past one reduction", new Uint8Array(100_001).fill(255), 0x45c5312b],
])("of %s, whole and in two parts", (_, bytes, sum) => {
  expect(adler32(1, bytes, 0, bytes.length)).toBe(sum);
  const middle = Math.trunc(bytes.length / 3);
  expect(adler32(adler32(1, bytes, 0, middle), bytes, middle, bytes.length)).toBe(sum);
});
