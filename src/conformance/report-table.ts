import type { Outcome, TestResult } from "./run-tests.ts";
import type { Test } from "./select-tests.ts";

/** Counts of a finished run. */
export type Summary = Readonly<Record<Outcome, number>>;

/** Formats each result as a line of one table: case, transport, outcome with its reason. */
export function createTableFormat(tests: readonly Test[]): (result: TestResult) => string {
  const caseWidth = Math.max(...tests.map(({ testCase }) => testCase.name.length));
  const transportWidth = Math.max(...tests.map(({ transport }) => transport.name.length));
  return ({ name, transport, outcome, reason, durationMs }) => {
    const mark = { passed: `ok (${durationMs} ms)`, failed: "FAIL", skipped: "skipped" }[outcome];
    const columns = [name.padEnd(caseWidth), transport.padEnd(transportWidth), mark];
    return columns.join("  ") + (reason === "" ? "" : `: ${oneLine(reason)}`);
  };
}

export function summarise(results: readonly TestResult[]): Summary {
  const count = (outcome: Outcome) => results.filter((result) => result.outcome === outcome).length;
  return { passed: count("passed"), failed: count("failed"), skipped: count("skipped") };
}

/** `N passed, N failed, N skipped`. */
export function formatSummary({ passed, failed, skipped }: Summary): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ");
}
