import { describe, expect, test } from "vitest";
import { toFloat16 } from "./float16.ts";

const bitsOf = (value: number) => toFloat16(Float32Array.of(value), "w")[0]!;

/** What a finite binary16 number stands for, after IEEE 754-2019, clause 3.4. */
function numberOf(bits: number): number {
  const exponent = (bits >> 10) & 31;
  const fraction = (bits & 1023) / 1024;
  const magnitude = exponent === 0 ? fraction * 2 ** -14 : (1 + fraction) * 2 ** (exponent - 15);
  return bits & 0x8000 ? -magnitude : magnitude;
}

describe("known bit patterns", () => {
  // Table 3.5 of IEEE 754-2019 gives the format; the values are those of its numbers at both ends.
  test.each<[number, number]>([
    [0, 0x0000],
    [-0, 0x8000],
    [1, 0x3c00],
    [-2, 0xc000],
    [1 / 3, 0x3555],
    [65504, 0x7bff],
    [-65504, 0xfbff],
    [65519.996, 0x7bff],
    [2 ** -14, 0x0400],
    [2 ** -14 - 2 ** -24, 0x03ff],
    [2 ** -24, 0x0001],
    [-(2 ** -24), 0x8001],
    [2 ** -25, 0x0000],
    [-(2 ** -25), 0x8000],
    [2 ** -25 + 2 ** -40, 0x0001],
    [1.5 * 2 ** -24, 0x0002],
    [2.5 * 2 ** -24, 0x0002],
    [2 ** -14 - 2 ** -25, 0x0400],
    [2 ** -126, 0x0000],
    [2 ** -149, 0x0000],
    [1 + 2 ** -11, 0x3c00],
    [1 + 2 ** -11 + 2 ** -23, 0x3c01],
    [1 + 3 * 2 ** -11, 0x3c02],
    [2 - 2 ** -11, 0x4000],
  ])("%d is %i", (value, bits) => {
    expect(bitsOf(value)).toBe(bits);
  });
});

test("every number of float16 is itself, and what lies between two goes to the nearer one, or to the even one", () => {
  const wrong: number[] = [];
  for (let bits = 0; bits < 0x7bff; bits++) {
    const [low, high] = [numberOf(bits), numberOf(bits + 1)];
    const middle = (low + high) / 2;
    const even = bits & 1 ? bits + 1 : bits;
    // A float32 number has at least 12 more bits, so that these are all exact.
    const quarter = (high - low) / 4;
    const rounded = [low, low + quarter, middle, high - quarter].map(bitsOf);
    const mirrored = [-low, -middle].map(bitsOf);
    const expected = [bits, bits, even, bits + 1, bits | 0x8000, even | 0x8000];
    if ([...rounded, ...mirrored].join() !== expected.join()) wrong.push(bits);
  }
  expect(wrong).toEqual([]);
});

test.each<[number, string]>([
  [65520, "65520"],
  [-1e9, "-1000000000"],
  [Number.POSITIVE_INFINITY, "Infinity"],
  [Number.NaN, "NaN"],
])("%d has no place in float16, and the tensor is named", (value, shown) => {
  expect(() => toFloat16(Float32Array.of(1, value), "conv1/kernel")).toThrow(
    expect.objectContaining({
      reason: "CONVERT_INVALID",
      message: `"conv1/kernel": expected values that float16 holds, at most 65504, got ${shown} at 1`,
    }),
  );
});
