import { expect, test } from "vitest";
import { areIdentical, l2Norm, measureDistance } from "./compare-vectors.ts";

test("distance and norm", () => {
  expect(measureDistance([3, 4], [3, 4])).toEqual({ maxAbs: 0, cosine: 1 });
  expect(measureDistance([1, 0], [0, 2])).toEqual({ maxAbs: 2, cosine: 0 });
  expect(l2Norm([3, 4])).toBe(5);
});

test("a NaN never looks near", () => {
  expect(measureDistance([Number.NaN, 1], [0, 1]).maxAbs).toBeNaN();
  expect(measureDistance([0, 1], [Number.NaN, 1]).maxAbs).toBeNaN();
});

test.each([
  [[[1, 2]], [[1, 2]], true],
  [[[1, 2]], [[1, 2.0000000001]], false],
  [[[1, 2]], [[1, 2], [3]], false],
  [[[1, 2]], [[1]], false],
  [[[0]], [[-0]], false],
  [[[Number.NaN]], [[Number.NaN]], true],
  [[], [], true],
])("identical %#", (a, b, identical) => {
  expect(areIdentical(a, b)).toBe(identical);
});
