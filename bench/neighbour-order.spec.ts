import { expect, test } from "vitest";
import { neighbourOrder } from "./neighbour-order.ts";

test("all others, nearest first", () => {
  const vectors = [0, 10, 90, 25].map((degrees) => {
    const angle = (degrees / 180) * Math.PI;
    return Float32Array.of(Math.cos(angle), Math.sin(angle));
  });
  expect(neighbourOrder(vectors)).toEqual([
    [1, 3, 2],
    [0, 3, 2],
    [3, 1, 0],
    [1, 0, 2],
  ]);
});
