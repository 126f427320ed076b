import { expect, test } from "vitest";
import {
  formatCosine,
  formatDifference,
  formatMs,
  formatNearCosine,
  formatShortCosine,
  formatTolerance,
} from "./format-numbers.ts";

test.each([
  [0, "0.0 ms"],
  [0.44, "0.4 ms"],
  [9.94, "9.9 ms"],
  [9.96, "10 ms"],
  [27.4, "27 ms"],
  [999.4, "999 ms"],
  [999.6, "1.0 s"],
  [61_230, "61.2 s"],
])("%d ms is written %s", (durationMs, text) => {
  expect(formatMs(durationMs)).toBe(text);
});

test.each([
  [formatDifference, 0, "0"],
  [formatDifference, 1.1920929e-7, "1.19e-7"],
  [formatDifference, Number.NaN, "NaN"],
  [formatTolerance, 2e-6, "2e-6"],
  [formatTolerance, 1e-6 + 5e-6, "6e-6"],
  [formatCosine, 0.34789, "0.348"],
  [formatNearCosine, 1, "1"],
  [formatNearCosine, 1.0000000001, "1"],
  [formatNearCosine, 0.99999999999, "0.99999999999"],
  [formatNearCosine, 0.9999999999999, "1"],
  [formatShortCosine, 0.998749, "0.9987"],
  [formatShortCosine, 0.99999957, "0.99999957"],
  [formatShortCosine, 0.9, "0.900"],
  [formatShortCosine, -0.5, "-0.500"],
  [formatShortCosine, 1.0000000001, "1"],
  [formatShortCosine, Number.NaN, "NaN"],
])("%o writes %d as %s", (format, value, text) => {
  expect(format(value)).toBe(text);
});
