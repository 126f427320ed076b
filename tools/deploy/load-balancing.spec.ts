import { expect, test } from "vitest";
import { balanceOf } from "./load-balancing.ts";

test.each([
  [[10, 10, 10], 0],
  [[9, 10, 11], 0.1],
  [[0, 15, 15], 1],
  [[30, 0, 0], 2],
])("calls %j: the furthest is %d of the mean away", (calls, furthest) => {
  expect(balanceOf(calls).furthest).toBeCloseTo(furthest, 12);
});
