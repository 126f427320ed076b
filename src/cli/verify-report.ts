import type { EmbedError } from "../errors.ts";

/** What a fixture's vector must hold. */
export interface VerifyLimits {
  /** Largest absolute error of any element. */
  readonly tolerance: number;
  /** Of a variant: smallest cosine. */
  readonly minCosine?: number;
}

/** One fixture: how far its vector is from Keras's, or why there is none. */
export type VerifyRow = VerifyLimits & { readonly image: string } & (
    | { readonly maxAbsError: number; readonly cosine: number }
    | { readonly error: Pick<EmbedError, "reason" | "message"> }
  );

type Verdict = "ok" | "DIFFERS" | "FAILED";

function judge(row: VerifyRow): Verdict {
  if ("error" in row) return "FAILED";
  const { maxAbsError, tolerance, cosine, minCosine = Number.NEGATIVE_INFINITY } = row;
  // Not `>` and `<`: NaN must not pass.
  return maxAbsError <= tolerance && cosine >= minCosine ? "ok" : "DIFFERS";
}

/** `width` is that of the longest image's name. */
export function describeHeader(width: number): string {
  return `${"fixture".padEnd(width)}           max abs error  cosine`;
}

/** A line of the table. */
export function describeRow(row: VerifyRow, width: number): string {
  const start = `${row.image.padEnd(width)}  ${judge(row).padEnd(7)}`;
  if ("error" in row) return `${start}  ${row.error.reason}: ${row.error.message}`;
  return `${start}  ${row.maxAbsError.toExponential(2).padStart(13)}  ${row.cosine.toFixed(9)}`;
}

/**
 * What all rows amount to: a closing line and, if not every row is well, what is wrong.
 * @param reference whose vectors they were compared with
 */
export function summarise(
  rows: readonly VerifyRow[],
  reference = "Keras's",
): { summary: string; shortfall?: string } {
  const count = (verdict: Verdict) => rows.filter((row) => judge(row) === verdict).length;
  const [differing, failed] = [count("DIFFERS"), count("FAILED")];
  const errors = rows.flatMap((row) => ("error" in row ? [] : [row.maxAbsError]));
  const cosines = rows.flatMap((row) => ("error" in row || row.minCosine === undefined ? [] : [row.cosine]));
  const largest = errors.length > 0 ? `; largest error ${Math.max(...errors).toExponential(2)}` : "";
  const smallest = cosines.length > 0 ? `, smallest cosine ${Math.min(...cosines).toFixed(7)}` : "";
  const summary = `${count("ok")} passed, ${differing} differ, ${failed} failed${largest}${smallest}`;
  if (differing + failed === 0) return { summary };
  const parts = [
    `${differing} of ${rows.length} vectors differ from ${reference} by more than their tolerance`,
    `${failed} of ${rows.length} fixtures gave no vector`,
  ];
  return { summary, shortfall: parts.join("; ") };
}
