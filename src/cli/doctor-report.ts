/** One line of `portico doctor`. */
export interface Finding {
  /** What was looked at: stable, for machines. */
  readonly name: string;
  readonly state: FindingState;
  /** What was found; where it failed, also how to mend it. */
  readonly value: string;
}

/**
 * `info` is only told, `ok` was checked, `failed` keeps Portico from working here, `unchecked` could not be
 * looked at, or is not without being asked.
 */
export type FindingState = "info" | "ok" | "failed" | "unchecked";

const marks = { info: "    ", ok: "ok  ", failed: "FAIL", unchecked: "?   " } as const;

/** What `--json` prints; `version` is Portico's. */
export interface DoctorReport {
  readonly version: string;
  /** Nothing that was checked failed. */
  readonly ok: boolean;
  readonly checks: readonly Finding[];
}

export function reportFindings(version: string, checks: readonly Finding[]): DoctorReport {
  return { version, ok: checks.every(({ state }) => state !== "failed"), checks };
}

/** One line for each finding, then one for all of them. */
export function describeFindings(findings: readonly Finding[]): string {
  const width = Math.max(...findings.map(({ name }) => name.length));
  const lines = findings.map(({ name, state, value }) => `${marks[state]} ${name.padEnd(width)}  ${value}`);
  return [...lines, summarise(findings)].join("\n");
}

function summarise(findings: readonly Finding[]): string {
  const failed = findings.filter(({ state }) => state === "failed");
  if (failed.length === 0) return "all is well";
  return `${failed.length} failed: ${failed.map(({ name }) => name).join(", ")}`;
}
