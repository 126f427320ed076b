/** A time in milliseconds, with as many digits as can be believed: `0.4 ms`, `27 ms`, `2.3 s`. */
export function formatMs(durationMs: number): string {
  if (durationMs < 9.95) return `${durationMs.toFixed(1)} ms`;
  if (durationMs < 999.5) return `${durationMs.toFixed(0)} ms`;
  return `${(durationMs / 1000).toFixed(1)} s`;
}

/** A small difference: `0`, `1.19e-7`. */
export function formatDifference(difference: number): string {
  return difference === 0 ? "0" : difference.toExponential(2);
}

/** A tolerance or a sum of them: `1e-6`. */
export function formatTolerance(tolerance: number): string {
  return Number(tolerance.toPrecision(3)).toExponential();
}

/** A cosine in a table. */
export function formatCosine(cosine: number): string {
  return cosine.toFixed(3);
}

/** A cosine so near to 1 that what is missing says more. */
export function formatNearCosine(cosine: number): string {
  return String(Number(Math.min(cosine, 1).toFixed(12)));
}

/** A cosine with two digits of what it lacks to 1: `0.9987`, `0.99999957`. */
export function formatShortCosine(cosine: number): string {
  const lacking = 1 - Math.min(cosine, 1);
  return lacking < 1e-12 ? "1" : cosine.toFixed(Math.max(3, Math.ceil(-Math.log10(lacking)) + 1));
}
