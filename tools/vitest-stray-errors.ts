import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { Reporter } from "vitest/node";

/** Where they are written. */
export const strayErrorsJson = "output/vitest-stray-errors.json";

/**
 * A reporter of vitest for what its JSON reporter leaves out: errors of no test, such as the process of a file
 * that was ended by a signal. Writes their messages as a JSON array.
 */
export default class StrayErrorsReporter implements Reporter {
  onTestRunEnd(_modules: unknown, errors: readonly { message?: string; cause?: unknown }[]): void {
    mkdirSync(dirname(strayErrorsJson), { recursive: true });
    writeFileSync(strayErrorsJson, JSON.stringify(errors.map(describe)));
  }
}

/** An error and what it was caused by; vitest's pool tells the signal in the cause. */
function describe({ message, cause }: { message?: string; cause?: unknown }): string {
  const why = cause instanceof Error ? `\n${cause.message}` : "";
  return `${message ?? "an error without a message"}${why}`;
}
