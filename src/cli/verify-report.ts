import type { EmbedError } from "../errors.ts";

/** One fixture: how far its vector is from Keras's, or why there is none. */
export type VerifyRow =
  | {
      readonly image: string;
      readonly tolerance: number;
      readonly maxAbsError: number;
      readonly cosine: number;
    }
  | {
      readonly image: string;
      readonly tolerance: number;
      readonly error: Pick<EmbedError, "reason" | "message">;
    };

type Verdict = "ok" | "DIFFERS" | "FAILED";

function judge(row: VerifyRow): Verdict {
  if ("error" in row) return "FAILED";
  // Not `>`: NaN must not pass.
  return row.maxAbsError <= row.tolerance ? "ok" : "DIFFERS";
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

/** What all rows amount to: a closing line and, if not every row is well, what is wrong. */
export function summarise(rows: readonly VerifyRow[]): { summary: string; shortfall?: string } {
  const count = (verdict: Verdict) => rows.filter((row) => judge(row) === verdict).length;
  const [differing, failed] = [count("DIFFERS"), count("FAILED")];
  const errors = rows.flatMap((row) => ("error" in row ? [] : [row.maxAbsError]));
  const largest = errors.length > 0 ? `; largest error ${Math.max(...errors).toExponential(2)}` : "";
  const summary = `${count("ok")} passed, ${differing} differ, ${failed} failed${largest}`;
  if (differing + failed === 0) return { summary };
  const parts = [
    `${differing} of ${rows.length} vectors differ from Keras's by more than their tolerance`,
    `${failed} of ${rows.length} fixtures gave no vector`,
  ];
  return { summary, shortfall: parts.join("; ") };
}
