import { readFile, writeFile } from "node:fs/promises";
import { loadavg } from "node:os";
import type { CallLatencyReport } from "./call-latency.ts";
import type { EnginesReport } from "./engines.ts";
import type { LatencyReport } from "./latency.ts";
import { describeMachine, type Machine } from "./machine.ts";
import type { MemoryReport } from "./memory.ts";
import type { NetworksReport } from "./networks.ts";
import type { EnginePeersReport } from "./peers/engine-peers.ts";
import type { OperatorPeersReport } from "./peers/operator-peers.ts";
import type { ThroughputReport } from "./server-throughput.ts";
import type { SizesReport } from "./sizes.ts";
import type { StartReport } from "./start.ts";
import type { VariantsReport } from "./variants.ts";

/** What a run measured, and where, when and how. */
export interface Run<Name extends keyof Reports> {
  readonly schema: `portico-${Name}/1`;
  readonly machine: Machine;
  /** Of the last minute before it began: what else ran. Near 0 on a quiet machine. */
  readonly loadBefore: number;
  readonly date: string;
  readonly command: string;
  readonly seconds: number;
  readonly report: Reports[Name];
}

/** By the name of the file in results/. */
export interface Reports {
  readonly bench: {
    readonly engines: EnginesReport;
    readonly throughput: readonly ThroughputReport[];
    readonly latency: LatencyReport;
    readonly calls: CallLatencyReport;
    readonly start: StartReport;
    readonly memory: MemoryReport;
  };
  readonly variants: VariantsReport;
  readonly peers: {
    readonly engines: readonly EnginePeersReport[];
    readonly operators: OperatorPeersReport;
  };
  readonly sizes: SizesReport;
  readonly networks: NetworksReport;
}

const fileOf = (name: keyof Reports) => new URL(`results/${name}.json`, import.meta.url);

/**
 * Measures and writes results/NAME.json.
 * @param script as it is called; this process's own arguments are told behind it
 */
export async function recordRun<Name extends keyof Reports>(
  name: Name,
  script: string,
  measure: () => Promise<Reports[Name]>,
): Promise<Run<Name>> {
  const flags = process.argv.slice(2);
  const [loadBefore = 0] = loadavg();
  const start = performance.now();
  const report = await measure();
  const run: Run<Name> = {
    schema: `portico-${name}/1`,
    machine: describeMachine(),
    loadBefore: round(loadBefore),
    date: new Date().toISOString().slice(0, 10),
    command: [script, ...(flags.length > 0 ? ["--", ...flags] : [])].join(" "),
    seconds: Math.round((performance.now() - start) / 1000),
    report,
  };
  const text = JSON.stringify(run, (_, value) => (typeof value === "number" ? round(value) : value), 2);
  await writeFile(fileOf(name), `${text}\n`);
  return run;
}

/** Four significant figures, of a cosine those of what it lacks to 1: the rest is noise, and would be noise in every diff. */
function round(value: number): number {
  if (value > 0.9 && value < 1) return Number((1 - Number((1 - value).toPrecision(4))).toPrecision(15));
  return Number.isInteger(value) ? value : Number(value.toPrecision(4));
}

/** @throws Error if results/NAME.json is not there or of another form */
export async function readRun<Name extends keyof Reports>(name: Name): Promise<Run<Name>> {
  const run = JSON.parse(await readFile(fileOf(name), "utf8")) as Run<Name>;
  const schema = `portico-${name}/1`;
  if (run.schema !== schema)
    throw new Error(`results/${name}.json: expected the schema ${schema}, got ${run.schema}`);
  return run;
}
