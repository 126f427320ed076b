/** What became of a case. */
export interface CaseResult {
  readonly name: string;
  readonly outcome: "passed" | "failed" | "skipped";
  readonly reason: string;
}

/** Runs some of the cases at a time, each printed as it ends; `got` says what a case that passed has found. */
export function createCases() {
  const results: CaseResult[] = [];
  const add = (result: CaseResult) => {
    results.push(result);
    console.log(`${result.outcome}: ${result.name}${result.reason && `: ${result.reason}`}`);
  };
  return {
    results: results as readonly CaseResult[],
    add,
    async check(name: string, body: () => Promise<string>): Promise<void> {
      try {
        add({ name, outcome: "passed", reason: await body() });
      } catch (error) {
        add({ name, outcome: "failed", reason: error instanceof Error ? error.message : String(error) });
      }
    },
  };
}
