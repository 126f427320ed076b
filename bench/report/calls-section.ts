import type { CallLatencyReport } from "../call-latency.ts";
import type { Percentiles } from "../statistics.ts";
import { figure, markdownTable, milliseconds, seconds } from "./markdown.ts";

export function callsSection({ engine, workers, startMs, idle, loaded }: CallLatencyReport): string {
  const row = (name: string, { calls, p50Ms, p95Ms, maxMs }: Percentiles) => [
    name,
    ...[p50Ms, p95Ms, maxMs].map(milliseconds),
    String(calls),
  ];
  return `## Answers under load

\`npm run bench:calls\` starts a server (\`${engine}\`, ${workers} workers), asks Identity and Healthy every 20 ms, first alone and then
while ${loaded.callers} callers send photographs as fast as they are answered: ${figure(loaded.vectorsPerSecond)} vectors a second. It was ready after ${seconds(startMs)}.
The aim is 50 ms at p95 under load: the main thread does no image work. \`bench/call-latency.spec.ts\` asserts ten times
that in \`npm test\`, since a test's machine may be slow and busy.

${markdownTable(
  ["call", { figures: "p50" }, { figures: "p95" }, { figures: "max" }, { figures: "calls" }],
  [
    row("Identity, idle", idle.identity),
    row("Healthy, idle", idle.healthy),
    row(`Identity, ${loaded.callers} callers`, loaded.identity),
    row(`Healthy, ${loaded.callers} callers`, loaded.healthy),
  ],
)}
`;
}
