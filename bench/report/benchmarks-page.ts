import type { EnginePeersReport } from "../peers/engine-peers.ts";
import type { OperatorPeersReport } from "../peers/operator-peers.ts";
import type { Reports, Run } from "../results.ts";
import { type Aim, isMet, listAims } from "./aims.ts";
import { type BarKind, barChart } from "./bar-chart.ts";
import { callsSection } from "./calls-section.ts";
import { enginesSection } from "./engines-section.ts";
import { latencySection } from "./latency-section.ts";
import { figure, markdownTable, megabytes, milliseconds, percent, seconds, times } from "./markdown.ts";
import { memorySection } from "./memory-section.ts";
import { enginePeersSection, operatorsSection } from "./peers-sections.ts";
import { startSection } from "./start-section.ts";
import { throughputSection } from "./throughput-section.ts";

const defaultEngineSection = `## Which engine is the default

\`auto\`: the fastest that works, which is \`simd\` unless onnxruntime-node is installed. What proved \`simd\`: \`npm test\` holds
it to the same suites as \`ort-wasm\` and the same 1e-6. These are the 209 golden vectors (\`verify\`), the conformance suite
over every protocol, 1,200 random nodes of 24 kinds and 52 converted networks against onnxruntime-web, vectors bit for bit alike for each
number of threads (src/node/pool/worker-gangs.spec.ts), and workers killed at random under load, with and without gangs
(src/node/pool/worker-faults.spec.ts).
`;

/** docs/benchmarks.md, from what two runs measured. */
export function benchmarksPage(bench: Run<"bench">, peers: Run<"peers">): string {
  const sections = [
    aimsSection(listAims(bench.report, peers.report)),
    operatorsSection(peers.report.operators),
    "![Photographs per second of whole operators](benchmarks-operators.svg)\n",
    enginePeersSection(peers.report.engines),
    "![Time of one picture by engine](benchmarks-engines.svg)\n",
    enginesSection(bench.report.engines),
    latencySection(bench.report.latency),
    throughputSection(bench.report.throughput),
    callsSection(bench.report.calls),
    startSection(bench.report.start),
    memorySection(bench.report.memory),
    defaultEngineSection,
    "## Distance from float64\n\n`bench/float64-distance.py`: see [parity.md](parity.md).\n",
  ];
  return `<!-- Written by bench/write-page.ts from bench/results; do not edit. -->
# Benchmarks

Each figure comes from a script that anyone can rerun: [bench/README.md](../bench/README.md) says how. Other machines give
other times; the ratios travel better. Rivals alternate in one run, since the same machine gives other figures an hour later.

${markdownTable(["command", "date", "machine", { figures: "load before" }, { figures: "took" }], [bench, peers].map(runRow))}

${sections.map((section) => section.trim()).join("\n\n")}
`;
}

function runRow({
  command,
  date,
  machine,
  loadBefore,
  seconds: took,
}: Run<keyof Reports>): readonly string[] {
  const { cpu, cores, memoryGiB, system, node } = machine;
  const minutes = `${Math.floor(took / 60)} min ${took % 60} s`;
  return [
    `\`${command}\``,
    date,
    `${cpu}, ${cores} cores, ${memoryGiB} GiB, ${system}, Node ${node}`,
    figure(loadBefore),
    minutes,
  ];
}

const showIn: Readonly<Record<Aim["unit"], (value: number) => string>> = {
  times,
  share: percent,
  seconds,
  megabytes,
};

function aimsSection(aims: readonly Aim[]): string {
  const rows = aims.map((aim) => [
    aim.what,
    `${aim.isMost ? "at most" : "at least"} ${showIn[aim.unit](aim.bound)}`,
    aim.measured === undefined ? "skipped" : showIn[aim.unit](aim.measured),
    isMet(aim) ? "met" : "**not met**",
  ]);
  return `## Aims

${markdownTable(["", { figures: "aim" }, { figures: "measured" }, ""], rows)}`;
}

export function engineChart(reports: readonly EnginePeersReport[]): string {
  const peers = reports.find(({ threads }) => threads === 1)?.peers ?? [];
  const bars = peers
    .toSorted((a, b) => a.leastMs - b.leastMs)
    .map(({ name, kind, leastMs }) => ({
      label: kind === "page" ? `${name}, Chromium` : name,
      value: milliseconds(leastMs),
      size: leastMs,
      kind: name.startsWith("Portico") ? "ours" : kind === "native" ? "native" : ("wasm" as BarKind),
    }));
  return barChart({ title: "ResNet50, one picture, one thread", unit: "Milliseconds, less is better", bars });
}

export function operatorChart({ operators }: OperatorPeersReport): string {
  const bars = operators.flatMap(({ name, byCallers }) =>
    byCallers.map(({ callers, perSecond }) => ({
      label: `${name}, ${callers === 1 ? "1 caller" : `${callers} callers`}`,
      value: figure(perSecond),
      size: perSecond,
      kind: (name.startsWith("Portico") ? "ours" : "native") as BarKind,
    })),
  );
  return barChart({
    title: "Whole operators over gRPC",
    unit: "Photographs per second, more is better",
    bars,
  });
}
