import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import type { EngineName } from "../src/engine/engine.ts";
import { Operator } from "../src/gen/omnisearch/operator_pb.ts";
import { orUsage, wholeNumbers } from "../tools/or-usage.ts";
import { startPortico } from "../tools/start-portico.ts";
import { readPhotographs } from "./photographs.ts";
import { callsSection } from "./report/calls-section.ts";
import { type Percentiles, percentilesOf } from "./statistics.ts";

/** How fast Identity and Healthy answer, alone and while callers load the server with photographs. */
export interface CallLatencyReport {
  readonly engine: EngineName;
  readonly workers: number;
  /** From the start of the server's process to ready. */
  readonly startMs: number;
  readonly idle: LatencyReport;
  readonly loaded: LatencyReport;
}

export interface LatencyReport {
  readonly callers: number;
  /** Vectors per second, of all callers together. */
  readonly vectorsPerSecond: number;
  readonly identity: Percentiles;
  readonly healthy: Percentiles;
}

/** Starts a server for both. */
export async function measureCalls(options: {
  readonly callers: number;
  readonly seconds: number;
}): Promise<CallLatencyReport> {
  const [engine, workers] = ["simd", availableParallelism()] as const;
  const server = await startPortico({ args: ["--engine", engine, "--workers", String(workers)] });
  try {
    const idle = await measureCallLatency(server.address, 0, Math.min(3, options.seconds));
    const loaded = await measureCallLatency(server.address, options.callers, options.seconds);
    return { engine, workers, startMs: server.startMs, idle, loaded };
  } finally {
    await server.stop();
  }
}

export async function measureCallLatency(
  address: string,
  callers: number,
  seconds: number,
): Promise<LatencyReport> {
  const photos = (await readPhotographs()).map((bytes) => Buffer.from(bytes).toString("base64"));
  const client = () => createClient(Operator, createGrpcTransport({ baseUrl: `http://${address}` }));
  const until = performance.now() + seconds * 1000;
  let vectors = 0;

  async function load(): Promise<void> {
    const caller = client();
    while (performance.now() < until) {
      const reply = await caller.execute({ datas: [photos[vectors % photos.length]!] });
      vectors += reply.vectors.length;
    }
  }
  async function probe(call: () => Promise<unknown>): Promise<Percentiles> {
    const times: number[] = [];
    while (performance.now() < until) {
      const start = performance.now();
      await call();
      times.push(performance.now() - start);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return percentilesOf(times);
  }

  const prober = client();
  const [identity, healthy] = await Promise.all([
    probe(() => prober.identity({})),
    probe(() => prober.healthy({})),
    ...Array.from({ length: callers }, load),
  ]);
  return { callers, vectorsPerSecond: vectors / seconds, identity, healthy };
}

if (import.meta.main) {
  const options = orUsage("npm run bench:calls -- [--callers N] [--seconds N]", () =>
    wholeNumbers(
      parseArgs({
        options: {
          callers: { type: "string", default: "8" },
          seconds: { type: "string", default: "10" },
        },
      }).values,
    ),
  );
  console.log(callsSection(await measureCalls(options)));
}
