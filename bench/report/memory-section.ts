import type { MemoryReport, ServerMemory } from "../memory.ts";
import { markdownTable, megabytes, percent } from "./markdown.ts";

export function memorySection({ pictures, idleMs, shared, servers }: MemoryReport): string {
  const rows = servers.map(({ engine, workers, readyBytes, startPeakBytes, idle }) => [
    `\`${engine}\``,
    String(workers),
    ...[readyBytes, startPeakBytes, idle.residentBytes, idle.anonymousBytes].map(megabytes),
  ]);
  const at = (engine: string, workers: number) =>
    servers.find((server) => server.engine === engine && server.workers === workers);
  return `## Memory by workers

\`npm run bench:memory\` starts a server for each engine and number of workers, one after the other, sends ${pictures} photographs, and
reads /proc ${idleMs / 1000} s after the last answer. "Of this process alone" leaves out the program itself, which processes share.

${markdownTable(
  [
    "engine",
    { figures: "workers" },
    { figures: "resident, ready" },
    { figures: "at most until then" },
    { figures: "resident after photographs" },
    { figures: "of this process alone" },
  ],
  rows,
)}

The workers of \`simd\` share one WebAssembly memory: ${megabytes(shared.weightBytes)} of weights once, and ${megabytes(shared.seatBytes)} for each worker (at
most 20 MB). ${ratioLines(at)}`;
}

function ratioLines(at: (engine: string, workers: number) => ServerMemory | undefined): string {
  const ratio = (workers: number) => {
    const [simd, ort] = [at("simd", workers), at("ort-wasm", workers)];
    return simd && ort ? percent(simd.idle.residentBytes / ort.idle.residentBytes) : "-";
  };
  return `\`simd\` holds ${ratio(1)} of what \`ort-wasm\` holds with one worker, ${ratio(2)} with two, ${ratio(4)} with four.`;
}
