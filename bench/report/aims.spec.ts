import { expect, test } from "vitest";
import { type Aim, isMet } from "./aims.ts";

const aim = { what: "speed", unit: "times" } as const;

test.each<[Aim, boolean]>([
  [{ ...aim, bound: 2.6, measured: 2.6 }, true],
  [{ ...aim, bound: 2.6, measured: 2.59 }, false],
  [{ ...aim, bound: 0.45, isMost: true, measured: 0.45 }, true],
  [{ ...aim, bound: 0.45, isMost: true, measured: 0.46 }, false],
  [{ ...aim, bound: 2.6, measured: undefined }, false],
  [{ ...aim, bound: 0.45, isMost: true, measured: Number.NaN }, false],
])("%j is met: %s", (given, met) => {
  expect(isMet(given)).toBe(met);
});
