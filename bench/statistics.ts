/** Of timed calls, by nearest rank: every figure is a time that was measured. */
export interface Percentiles {
  readonly calls: number;
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** NaN throughout without a call. */
export function percentilesOf(timesMs: readonly number[]): Percentiles {
  const sorted = timesMs.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
  return {
    calls: sorted.length,
    p50Ms: at(0.5),
    p90Ms: at(0.9),
    p95Ms: at(0.95),
    p99Ms: at(0.99),
    maxMs: at(1),
  };
}

/** Of repeated runs of the same work: other work on the machine only adds to the least. */
export interface Spread {
  readonly runs: number;
  readonly leastMs: number;
  readonly medianMs: number;
}

export function spreadOf(timesMs: readonly number[]): Spread {
  return { runs: timesMs.length, leastMs: Math.min(...timesMs), medianMs: median(timesMs) };
}

/** NaN of no value; the mean of the middle two of an even number. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] ?? Number.NaN) + (sorted[Math.ceil(middle)] ?? Number.NaN)) / 2;
}
