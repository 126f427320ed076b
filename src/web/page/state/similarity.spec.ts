import { expect, test } from "vitest";
import { createCosineOf, nearestPairs, similarityMatrix } from "./similarity.ts";

const right = Float32Array.of(1, 0);
const up = Float32Array.of(0, 2);
const slanted = Float32Array.of(3, 3);
const left = Float32Array.of(-1, 0);

test("similarityMatrix has the cosine of each vector with each", () => {
  const half = expect.closeTo(Math.SQRT1_2, 12);
  expect(similarityMatrix([right, up, slanted, left], createCosineOf())).toEqual([
    [1, 0, half, -1],
    [0, 1, half, 0],
    [half, half, expect.closeTo(1, 12), expect.closeTo(-Math.SQRT1_2, 12)],
    [-1, 0, expect.closeTo(-Math.SQRT1_2, 12), 1],
  ]);
  expect(similarityMatrix([], createCosineOf())).toEqual([]);
});

test("a vector without a direction has no cosine", () => {
  expect(createCosineOf()(Float32Array.of(0, 0), right)).toBeNaN();
});

test("a cosine that is known is not computed again, whichever vector comes first", () => {
  const cosineOf = createCosineOf();
  const a = Float32Array.of(1, 0);
  const b = Float32Array.of(1, 0);
  expect(cosineOf(a, b)).toBe(1);
  b.set([0, 1]);
  expect([cosineOf(a, b), cosineOf(b, a)]).toEqual([1, 1]);
  expect(createCosineOf()(a, b)).toBe(0);
});

test("nearestPairs lists the nearest first, equal ones by their places, and no more than asked for", () => {
  const cosineOf = createCosineOf();
  const vectors = [right, up, slanted, right.slice(), left];
  const pairs = nearestPairs(vectors, 4, cosineOf);
  expect(pairs.map(({ first, second }) => [first, second])).toEqual([
    [0, 3],
    [0, 2],
    [1, 2],
    [2, 3],
  ]);
  expect(pairs[0]?.cosine).toBe(1);
  expect(nearestPairs(vectors, 100, cosineOf)).toHaveLength(10);
  expect(nearestPairs([right], 4, cosineOf)).toEqual([]);
});
