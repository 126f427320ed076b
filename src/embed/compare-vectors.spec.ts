import { expect, test } from "vitest";
import { compareVectors } from "./compare-vectors.ts";

test.each([
  { actual: [1, 0], expected: [1, 0], difference: { maxAbsError: 0, cosine: 1 } },
  { actual: [1, 0], expected: [0, 1], difference: { maxAbsError: 1, cosine: 0 } },
  { actual: [1, -2], expected: [-1, 2], difference: { maxAbsError: 4, cosine: -1 } },
  { actual: [1], expected: [1, 0], difference: { maxAbsError: Infinity, cosine: NaN } },
  { actual: [NaN, 1], expected: [0, 1], difference: { maxAbsError: NaN, cosine: NaN } },
])("compareVectors($actual, $expected)", ({ actual, expected, difference }) => {
  const result = compareVectors(Float32Array.from(actual), Float32Array.from(expected));
  expect(result.maxAbsError).toBe(difference.maxAbsError);
  expect(Math.round(result.cosine * 1e12) / 1e12).toBe(difference.cosine);
});
