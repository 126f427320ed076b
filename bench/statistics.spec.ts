import { expect, test } from "vitest";
import { median, percentilesOf, spreadOf } from "./statistics.ts";

const upTo = (count: number) => Array.from({ length: count }, (_, index) => count - index);

test.each([
  { times: upTo(100), p50Ms: 50, p90Ms: 90, p95Ms: 95, p99Ms: 99, maxMs: 100 },
  { times: upTo(10), p50Ms: 5, p90Ms: 9, p95Ms: 10, p99Ms: 10, maxMs: 10 },
  { times: [7], p50Ms: 7, p90Ms: 7, p95Ms: 7, p99Ms: 7, maxMs: 7 },
  { times: [10, 9, 2], p50Ms: 9, p90Ms: 10, p95Ms: 10, p99Ms: 10, maxMs: 10 },
  {
    times: [],
    p50Ms: Number.NaN,
    p90Ms: Number.NaN,
    p95Ms: Number.NaN,
    p99Ms: Number.NaN,
    maxMs: Number.NaN,
  },
])("percentiles of $times.length times", ({ times, ...expected }) => {
  expect(percentilesOf(times)).toEqual({ calls: times.length, ...expected });
});

test.each([
  { values: [3, 1, 2], expected: 2 },
  { values: [4, 1, 2, 3], expected: 2.5 },
  { values: [10, 9], expected: 9.5 },
  { values: [5], expected: 5 },
  { values: [], expected: Number.NaN },
])("the median of $values is $expected", ({ values, expected }) => {
  expect(median(values)).toBe(expected);
});

test("a spread tells the least and the median, and leaves the times as they were", () => {
  const times = [30, 10, 20, 11];
  expect(spreadOf(times)).toEqual({ runs: 4, leastMs: 10, medianMs: 15.5 });
  expect(times).toEqual([30, 10, 20, 11]);
});
