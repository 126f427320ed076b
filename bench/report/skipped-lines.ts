import type { Skipped } from "../open-engines.ts";

/** A line for each thing that was left out; nothing if nothing was. */
export function skippedLines(skipped: readonly Skipped[]): string {
  if (skipped.length === 0) return "";
  return `\n${skipped.map(({ name, needs }) => `- \`${name}\` skipped: needs ${needs}.`).join("\n")}\n`;
}
