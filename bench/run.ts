import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { orUsage } from "../tools/or-usage.ts";
import { buildDist } from "./build-dist.ts";
import { measureCalls } from "./call-latency.ts";
import { measureEngines } from "./engines.ts";
import { measureLatency } from "./latency.ts";
import { measureMemory } from "./memory.ts";
import { type Reports, recordRun } from "./results.ts";
import { measureThroughput } from "./server-throughput.ts";
import { measureStart } from "./start.ts";
import { writePage } from "./write-page.ts";

/**
 * Every figure of Portico alone, one after the other, about seven minutes on two cores; writes results/bench.json and
 * docs/benchmarks.md. `--quick` shows in two minutes that all of it works; its figures are worth little. `--no-build` takes `dist` as it lies.
 */

const { values } = orUsage("npm run bench [-- --quick] [--no-build]", () =>
  parseArgs({
    options: { quick: { type: "boolean", default: false }, "no-build": { type: "boolean", default: false } },
  }),
);
if (!values["no-build"]) buildDist();
const workers = availableParallelism();
const base = { pictures: 24, callers: 8, workers };
const sizes = values.quick
  ? {
      engines: { rounds: 3 },
      throughput: { ...base, pictures: 8, rounds: 1 },
      latency: { rounds: 1, seconds: 1 },
      calls: { callers: 8, seconds: 3 },
      start: { rounds: 1 },
      memory: { pictures: 8, idleMs: 1000 },
    }
  : {
      engines: { rounds: 24 },
      throughput: { ...base, rounds: 6 },
      latency: { rounds: 2, seconds: 5 },
      calls: { callers: 8, seconds: 10 },
      start: { rounds: 5 },
      memory: { pictures: 24, idleMs: 3000 },
    };

async function measure(): Promise<Reports["bench"]> {
  tell("engine and pipeline loops");
  const engines = await measureEngines(sizes.engines);
  tell("server against pool");
  const throughput = [
    await measureThroughput({ engine: "simd", ...sizes.throughput }),
    await measureThroughput({ engine: "ort-wasm", ...sizes.throughput }),
  ];
  tell("latency by callers");
  const latency = await measureLatency(sizes.latency);
  tell("answers under load");
  const calls = await measureCalls(sizes.calls);
  tell("start to ready");
  const start = await measureStart(sizes.start);
  tell("memory by workers");
  const memory = await measureMemory(sizes.memory);
  return { engines, throughput, latency, calls, start, memory };
}

function tell(what: string): void {
  console.log(`${new Date().toISOString().slice(11, 19)} ${what}`);
}

await recordRun("bench", "npm run bench", measure);
await writePage();
console.log("wrote bench/results/bench.json and docs/benchmarks.md");
// Connections to servers that have stopped.
process.exit();
