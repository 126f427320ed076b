import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { decodeVector } from "./network-goldens.ts";
import { randomWeight } from "./network-weights.ts";

interface WeightGolden {
  readonly seed: number;
  readonly gain: number;
  readonly name: string;
  readonly shape: readonly number[];
  /** Base64 of the first values, at most 4. */
  readonly first: string;
  readonly sha256: string;
}

const file = new URL("../../fixtures/golden/networks/weights.json", import.meta.url);
const { weights } = JSON.parse(readFileSync(file, "utf8")) as { readonly weights: readonly WeightGolden[] };

test.each(weights)("$name $shape of seed $seed has the bits that Python gives", (golden) => {
  const { name, shape, seed, gain } = golden;
  const weight = randomWeight(name, shape, { seed, gain });
  expect(weight.shape).toBe(shape);
  expect(weight.data.slice(0, 4)).toEqual(decodeVector(golden.first));
  const bytes = new Uint8Array(weight.data.buffer);
  expect(createHash("sha256").update(bytes).digest("hex")).toBe(golden.sha256);
});

test("the names, shapes and seeds that Python wrote are many kinds", () => {
  expect(new Set(weights.map(({ name }) => name)).size).toBe(9);
  expect(new Set(weights.map(({ seed }) => seed)).size).toBe(2);
});

test("a variable of another name has no range", () => {
  expect(() => randomWeight("bn/momentum", [3], { seed: 1, gain: 1 })).toThrow(
    'no range of random values for a variable named "momentum"',
  );
});

test.each([
  ["conv/kernel", [3, 3, 8, 4], Math.sqrt(6 / 72)],
  ["conv/depthwise_kernel", [5, 5, 8, 1], Math.sqrt(6 / 25)],
] as const)("%s is spread over He's range by its fan-in", (name, shape, limit) => {
  const { data } = randomWeight(name, shape, { seed: 1, gain: 1 });
  const largest = Math.max(...data.map(Math.abs));
  expect(largest).toBeLessThanOrEqual(limit);
  expect(largest).toBeGreaterThan(0.95 * limit);
  expect(Math.abs(data.reduce((a, b) => a + b, 0) / data.length)).toBeLessThan(0.15 * limit);
});
