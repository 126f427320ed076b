import type { LatencyReport } from "../latency.ts";
import { figure, markdownTable, milliseconds, percent, times } from "./markdown.ts";

export function latencySection({ rounds, seconds, workers, servers }: LatencyReport): string {
  const rows = servers.flatMap(({ name, byCallers }) =>
    byCallers.map(({ callers, perSecond, calls, p50Ms, p90Ms, p99Ms }) => [
      `\`${name}\``,
      String(callers),
      figure(perSecond),
      ...[p50Ms, p90Ms, p99Ms].map(milliseconds),
      String(calls),
    ]),
  );
  return `## Latency by callers

\`npm run bench:latency\` starts a server for each engine, with ${workers} workers, and sends photographs by Execute over gRPC
from 1, 2, 4, 8 and 16 callers, each of which waits for its answer before the next call. The servers are called in
turns, ${rounds} rounds of ${seconds} s for each number of callers.

${markdownTable(
  [
    "server",
    { figures: "callers" },
    { figures: "photographs/s" },
    { figures: "p50" },
    { figures: "p90" },
    { figures: "p99" },
    { figures: "calls" },
  ],
  rows,
)}

${gangLines(servers)}`;
}

/** What gangs are for, and what they must not cost. */
function gangLines(servers: LatencyReport["servers"]): string {
  const [gangs, alone] = ["simd", "simd, no gangs"].map((wanted) =>
    servers.find(({ name }) => name === wanted),
  );
  const at = (server: typeof gangs, callers: number) =>
    server?.byCallers.find((entry) => entry.callers === callers);
  const ratio = (of: "p50Ms" | "perSecond", callers: number) => {
    const [own, other] = [at(gangs, callers)?.[of], at(alone, callers)?.[of]];
    return own === undefined || other === undefined ? Number.NaN : own / other;
  };
  return `Gangs answer a lone caller ${times(1 / ratio("p50Ms", 1))} as fast (p50; the aim is 1.6 x on two cores), and eight callers get
${percent(ratio("perSecond", 8))} of the throughput of independent workers (at least 95 %).`;
}
