import type { Compared, ThroughputReport } from "../server-throughput.ts";
import { figure, markdownTable, milliseconds, percent } from "./markdown.ts";

export function throughputSection(reports: readonly ThroughputReport[]): string {
  const ofLoop = ({ ratio, ratioMin, ratioMax }: Compared) =>
    `${percent(ratio)} (${percent(ratioMin)} to ${percent(ratioMax)})`;
  const rows = reports.flatMap(({ engine, loop, loopCpuMs, execute, embed }) => [
    [`\`${engine}\``, "pool called directly, no server", figure(loop), milliseconds(loopCpuMs), "", ""],
    ...[["Execute over gRPC", execute] as const, ["Embed over gRPC", embed] as const].map(
      ([way, compared]) => [
        "",
        way,
        figure(compared.perSecond),
        milliseconds(compared.cpuMs),
        milliseconds(compared.clientCpuMs),
        ofLoop(compared),
      ],
    ),
  ]);
  const { rounds, pictures, callers, workers } = reports[0]!;
  const identity = reports.map(
    ({ engine, identityIdleP50Ms }) => `${milliseconds(identityIdleP50Ms)} (\`${engine}\`)`,
  );
  return `## What the server costs

\`npm run bench:throughput\` sends the eight photographs of \`fixtures/images/photo\` through a worker pool called
directly, and through a server with as many workers, by Execute and by Embed over gRPC, in turns on one machine
(${workers} workers, ${callers} callers, ${rounds} rounds of ${pictures} photographs; the ratio is the median of the rounds' own ratios, the aim at
least 95 %). The caller works on the same cores. Processor time of the server's process per photograph, all threads,
is the figure that other work on the machine hardly moves. Execute costs more, since its pictures travel as base64.

${markdownTable(
  [
    "engine",
    "way",
    { figures: "photographs/s" },
    { figures: "CPU time per photograph" },
    { figures: "and of the caller" },
    { figures: "of the pool's speed" },
  ],
  rows,
)}

Identity, idle: p50 ${identity.join(" and ")}.
`;
}
