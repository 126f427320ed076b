import { describe, expect, test } from "vitest";
import { createRandom } from "../../tools/random.ts";
import { meanOverlap, nearestNeighbours } from "./nearest-neighbours.ts";

const near = (...indices: number[]) => indices.map((index) => ({ index, squaredL2: 0, cosine: 1 }));

describe("nearestNeighbours", () => {
  // On the circle, at 0, 90, 10, 180 and -10 degrees.
  const degrees = [0, 90, 10, 180, -10].map((angle) => (angle * Math.PI) / 180);
  const circle = new Float32Array(degrees.flatMap((angle) => [Math.cos(angle), Math.sin(angle)]));

  test("nearest first, without the query itself", () => {
    expect(nearestNeighbours(circle, 2, 2, 4).map(({ index }) => index)).toEqual([0, 4, 1, 3]);
  });

  test("equally near ones in the order of their rows", () => {
    expect(nearestNeighbours(circle, 2, 0, 2).map(({ index }) => index)).toEqual([2, 4]);
    const same = new Float32Array([1, 0, 1, 0, 1, 0, 1, 0]);
    expect(nearestNeighbours(same, 2, 1, 2)).toEqual([
      { index: 0, squaredL2: 0, cosine: 1 },
      { index: 2, squaredL2: 0, cosine: 1 },
    ]);
  });

  test("the distance is squared, and the cosine goes with it", () => {
    const [first, , last] = nearestNeighbours(circle, 2, 1, 4).slice(1);
    expect(first).toMatchObject({ index: 0, squaredL2: expect.closeTo(2, 6), cosine: expect.closeTo(0, 6) });
    expect(last).toMatchObject({ index: 4, cosine: expect.closeTo(Math.cos((100 * Math.PI) / 180), 6) });
  });

  test.each([
    [new Float32Array([1, 0]), 0],
    [new Float32Array([1, 0, 0, 1]), 1],
  ])("no more than there are", (vectors, found) => {
    expect(nearestNeighbours(vectors, 2, 0, 5)).toHaveLength(found);
  });

  test.each([1, 2, 16, 257, 515])("as a full sort by 2 - 2 cos has it, of %i numbers", (dimension) => {
    const random = createRandom(7, dimension);
    const rows = Array.from({ length: 60 }, () => {
      const raw = Array.from({ length: dimension }, () => random.below(2_001) - 1_000);
      const norm = Math.hypot(...raw);
      return raw.map((value) => value / norm);
    });
    const vectors = new Float32Array(rows.flat());
    for (const [query, own] of rows.entries()) {
      const sorted = rows
        .map((row, index) => ({
          index,
          cosine: row.reduce((sum, value, i) => sum + value * (own[i] ?? 0), 0),
        }))
        .filter(({ index }) => index !== query)
        .sort((a, b) => b.cosine - a.cosine || a.index - b.index)
        .slice(0, 7);
      expect(nearestNeighbours(vectors, dimension, query, 7)).toEqual(
        sorted.map(({ index, cosine }) => ({
          index,
          squaredL2: expect.closeTo(2 - 2 * cosine, 5),
          cosine: expect.closeTo(cosine, 5),
        })),
      );
    }
  });
});

test.each([
  ["the same in another order", [near(1, 2), near(0, 2)], [near(2, 1), near(0, 2)], 1],
  ["nothing in common", [near(1, 2)], [near(3, 4)], 0],
  ["half of one, all of another", [near(1, 2), near(5, 6)], [near(1, 3), near(6, 5)], 0.75],
  ["no neighbours", [[]], [[]], undefined],
  ["no pictures", [], [], undefined],
])("the overlap of two models: %s", (_, a, b, expected) => {
  expect(meanOverlap(a, b)).toBe(expected);
});
