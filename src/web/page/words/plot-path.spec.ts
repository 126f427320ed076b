import { expect, test } from "vitest";
import { describeVector } from "./describe-vector.ts";
import { plotPath } from "./plot-path.ts";

test.each([
  {
    vector: [0, 0.5, 1, 0.25],
    plot: { path: "M1.5 100V50M2.5 100V0M3.5 100V75", zeroY: 100, smallest: 0, largest: 1 },
  },
  // The zero line moves up where values are negative.
  { vector: [3, -1], plot: { path: "M0.5 75V0M1.5 75V100", zeroY: 75, smallest: -1, largest: 3 } },
  { vector: [0, 0], plot: { path: "", zeroY: 0, smallest: 0, largest: 0 } },
])("the plot of $vector", ({ vector, plot }) => {
  expect(plotPath(Float32Array.from(vector))).toEqual(plot);
});

test("a vector in words", () => {
  expect(describeVector(Float32Array.of(0, 0.125, 0.5, 0))).toBe(
    "4 values from 0.0 to 0.500, the largest at 2; 2 of them are 0.",
  );
});
