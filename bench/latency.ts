import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { orUsage, wholeNumbers } from "../tools/or-usage.ts";
import { type PorticoProcess, startPortico } from "../tools/start-portico.ts";
import { type CallersLatency, executeInTurns } from "./execute-in-turns.ts";
import { latencySection } from "./report/latency-section.ts";

/**
 * How long one call of Execute takes, and how many photographs a second are answered, by the number of callers:
 * with the SIMD engine whose workers gang up on one picture, the same without gangs, and with onnxruntime-web. All servers
 * run from the beginning and are called in turns.
 */

export interface LatencyOptions {
  readonly rounds: number;
  /** Of one turn of one server with one number of callers. */
  readonly seconds: number;
}

export interface LatencyReport extends LatencyOptions {
  readonly workers: number;
  readonly servers: readonly ServerLatency[];
}

export interface ServerLatency {
  readonly name: string;
  /** Of `portico serve`. */
  readonly flags: string;
  readonly byCallers: readonly CallersLatency[];
}

const callerCounts = [1, 2, 4, 8, 16] as const;

const variants = [
  { name: "simd", args: ["--engine", "simd", "--gangs", "auto"] },
  { name: "simd, no gangs", args: ["--engine", "simd", "--gangs", "off"] },
  { name: "ort-wasm", args: ["--engine", "ort-wasm"] },
] as const;

export async function measureLatency(options: LatencyOptions): Promise<LatencyReport> {
  const workers = availableParallelism();
  const running: PorticoProcess[] = [];
  try {
    // One after the other, so that no start slows down another.
    for (const { args } of variants) {
      running.push(await startPortico({ args: [...args, "--workers", String(workers)] }));
    }
    const addresses = running.map(({ address }) => address);
    const figures = await executeInTurns(addresses, { ...options, callerCounts });
    const servers = variants.map(({ name, args }, place) => ({
      name,
      flags: args.join(" "),
      byCallers: figures[place]!,
    }));
    return { ...options, workers, servers };
  } finally {
    await Promise.all(running.map((server) => server.stop()));
  }
}

if (import.meta.main) {
  const options = orUsage("npm run bench:latency -- [--rounds N] [--seconds N]", () =>
    wholeNumbers(
      parseArgs({
        options: {
          rounds: { type: "string", default: "2" },
          seconds: { type: "string", default: "5" },
        },
      }).values,
    ),
  );
  console.log(latencySection(await measureLatency(options)));
}
