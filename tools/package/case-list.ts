/** What became of the cases so far. */
export const results: { readonly name: string; readonly outcome: string; readonly reason?: string }[] = [];

/** Runs a case and prints what became of it. */
export async function check(name: string, body: () => Promise<void>): Promise<void> {
  const start = performance.now();
  try {
    await body();
    results.push({ name, outcome: "passed" });
  } catch (error) {
    results.push({ name, outcome: "failed", reason: error instanceof Error ? error.message : String(error) });
  }
  const { outcome, reason = "" } = results.at(-1)!;
  console.log(`${outcome}: ${name} (${((performance.now() - start) / 1000).toFixed(1)} s) ${reason}`);
}

export function skip(name: string): void {
  results.push({ name, outcome: "skipped" });
}
