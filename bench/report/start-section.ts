import type { StartReport } from "../start.ts";
import { markdownTable, milliseconds, times } from "./markdown.ts";

export function startSection({ rounds, starts }: StartReport): string {
  const rows = starts.map(({ engine, from, listening, ready }) => [
    `\`${engine}\``,
    from,
    ...[listening.leastMs, ready.leastMs, ready.medianMs].map(milliseconds),
  ]);
  const least = (engine: string) =>
    starts.find((start) => start.engine === engine && start.from === "dist")?.ready.leastMs ?? Number.NaN;
  return `## Start to ready

\`npm run bench:start\` starts a server whose model is in the cache, ${rounds} times each, in turns: from the start of the process to the
port, and to the first vector that passed the self-check.

${markdownTable(
  ["engine", "from", { figures: "port, least" }, { figures: "ready, least" }, { figures: "ready, median" }],
  rows,
)}

\`simd\` takes ${times(least("simd") / least("ort-wasm"))} the time of \`ort-wasm\` to be ready.`;
}
