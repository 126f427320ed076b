/** What a case came to, as tools/test.ts reads it. */
export interface CaseResult {
  readonly name: string;
  readonly outcome: "passed" | "failed" | "skipped";
  readonly reason: string;
}

export interface Cases {
  readonly results: readonly CaseResult[];
  /** @param got is printed, and is the reason where the case has failed */
  check(name: string, isPassed: boolean, got: string): void;
  /** Checks that both are the same JSON. */
  equal(name: string, got: unknown, expected: unknown): void;
  /** Work whose failure is one failed case, so that what follows is tried all the same. */
  attempt(name: string, work: () => Promise<void>): Promise<void>;
}

export function createCases(): Cases {
  const results: CaseResult[] = [];
  const check = (name: string, isPassed: boolean, got: string) => {
    results.push({ name, outcome: isPassed ? "passed" : "failed", reason: isPassed ? "" : got });
    console.log(`${isPassed ? "passed" : "FAILED"}: ${name}: ${got}`);
  };
  return {
    results,
    check,
    equal(name, got, expected) {
      const [shown, wanted] = [JSON.stringify(got), JSON.stringify(expected)];
      check(name, shown === wanted, shown === wanted ? shown : `expected ${wanted}, got ${shown}`);
    },
    async attempt(name, work) {
      try {
        await work();
      } catch (error) {
        check(name, false, error instanceof Error ? (error.stack ?? error.message) : String(error));
      }
    },
  };
}
