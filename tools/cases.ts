import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/** What a case came to, as tools/test-steps.ts reads it. */
export interface CaseResult {
  readonly name: string;
  readonly outcome: "passed" | "failed" | "skipped";
  /** What was found: of a case that has failed, why. */
  readonly reason: string;
}

/** The cases of a suite that is no test file of vitest. Each is printed as it ends. */
export interface Cases {
  readonly results: readonly CaseResult[];
  add(result: CaseResult): void;
  skip(name: string): void;
  check(name: string, isPassed: boolean, got: string): void;
  /** Checks that both are the same JSON. */
  equal(name: string, got: unknown, expected: unknown): void;
  /** A case that has failed if `work` throws; a text that it gives is what was found. */
  run(name: string, work: () => Promise<unknown>): Promise<void>;
  /** Work of several cases: that it throws is one more, and what follows is tried all the same. */
  attempt(name: string, work: () => Promise<void>): Promise<void>;
}

export function createCases(): Cases {
  const results: CaseResult[] = [];
  const add = (result: CaseResult, time = "") => {
    results.push(result);
    const { name, outcome, reason } = result;
    console.log(`${outcome === "failed" ? "FAILED" : outcome}: ${name}${time}${reason && `: ${reason}`}`);
  };
  const check = (name: string, isPassed: boolean, got: string) =>
    add({ name, outcome: isPassed ? "passed" : "failed", reason: got });
  return {
    results,
    add: (result) => add(result),
    skip: (name) => add({ name, outcome: "skipped", reason: "" }),
    check,
    equal(name, got, expected) {
      const [shown, wanted] = [JSON.stringify(got), JSON.stringify(expected)];
      check(name, shown === wanted, shown === wanted ? shown : `expected ${wanted}, got ${shown}`);
    },
    async run(name, work) {
      const start = performance.now();
      const time = () => ` (${((performance.now() - start) / 1000).toFixed(1)} s)`;
      try {
        const found = await work();
        add({ name, outcome: "passed", reason: typeof found === "string" ? found : "" }, time());
      } catch (error) {
        add({ name, outcome: "failed", reason: describe(error) }, time());
      }
    },
    async attempt(name, work) {
      try {
        await work();
      } catch (error) {
        check(name, false, describe(error));
      }
    },
  };
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/**
 * Prints how many cases came to what, and writes {passed, failed, skipped, results} to a file, if one is named.
 * The exit code is 1 if one has failed.
 */
export function reportCases(results: readonly CaseResult[], file: string | undefined): void {
  const count = (wanted: CaseResult["outcome"]) => results.filter(({ outcome }) => outcome === wanted).length;
  const counts = { passed: count("passed"), failed: count("failed"), skipped: count("skipped") };
  console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
  if (file !== undefined) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, JSON.stringify({ ...counts, results }, undefined, 1));
  }
  process.exitCode = counts.failed > 0 ? 1 : 0;
}
