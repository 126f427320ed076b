import { summarise } from "./report-table.ts";
import type { TestResult } from "./run-tests.ts";

/** What was tested, for the reader of a report. */
export interface RunDescription {
  readonly endpoint: string;
  readonly target: string;
  readonly profile: string;
  /** ISO 8601. */
  readonly startedAt: string;
}

/** The whole run as one JSON object: description, counts, largest difference from a golden, results. */
export function formatJson(description: RunDescription, results: readonly TestResult[]): string {
  const maxAbs = largestDifference(results);
  const report = { ...description, ...summarise(results), maxAbs, results };
  return `${JSON.stringify(report, undefined, 2)}\n`;
}

/** The largest difference of an element from its golden over all results; undefined if none was compared. */
export function largestDifference(results: readonly TestResult[]): number | undefined {
  const measured = results.flatMap(({ maxAbs }) => maxAbs ?? []);
  return measured.length === 0 ? undefined : Math.max(...measured);
}
