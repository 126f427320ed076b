import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { type EngineName, engineNames } from "../src/engine/engine.ts";
import { ExecuteRequestSchema, Operator } from "../src/gen/omnisearch/operator_pb.ts";
import { EmbeddingService, EmbedRequestSchema } from "../src/gen/portico/v1/embedding_pb.ts";
import type { WorkerPool } from "../src/node/pool/worker-pool.ts";
import { orUsage, wholeNumbers } from "../tools/or-usage.ts";
import { startPortico } from "../tools/start-portico.ts";
import { measureCallLatency } from "./call-latency.ts";
import { runClosedLoop } from "./closed-loop.ts";
import { openPool } from "./open-pool.ts";
import { readPhotographs } from "./photographs.ts";
import { throughputSection } from "./report/throughput-section.ts";
import { median } from "./statistics.ts";
import { createUnaryCall, frameOf } from "./unary-call.ts";

/**
 * What the server costs beside its work: photographs per second through a worker pool called directly, and
 * through a server with as many workers, by Execute and by Embed over gRPC. Rounds of the three alternate on
 * one machine, and the ratio of neighbours counts, so that other work on the machine falls on all alike. Time of
 * processors per photograph is told too: it hardly depends on what else runs, and leaves the callers out.
 */

export interface ThroughputOptions {
  readonly engine: EngineName;
  readonly rounds: number;
  /** Photographs of one round. */
  readonly pictures: number;
  readonly callers: number;
  readonly workers: number;
}

export interface ThroughputReport extends ThroughputOptions {
  /** Photographs per second: the median of the rounds. */
  readonly loop: number;
  /** Milliseconds of processor time for one photograph, all threads together. */
  readonly loopCpuMs: number;
  readonly execute: Compared;
  readonly embed: Compared;
  readonly identityIdleP50Ms: number;
}

export interface Compared {
  readonly perSecond: number;
  /** Of this to the loop in the same round: median, least and most. */
  readonly ratio: number;
  readonly ratioMin: number;
  readonly ratioMax: number;
  /** Of the server's process alone. */
  readonly cpuMs: number;
  /** Of the caller, which works on the same cores. */
  readonly clientCpuMs: number;
}

/** Embeds the photograph of this number and gives its vector's length. */
type EmbedPhoto = (index: number) => Promise<number>;

export async function measureThroughput(options: ThroughputOptions): Promise<ThroughputReport> {
  const { engine, workers } = options;
  const pool = await openPool(engine, workers);
  try {
    const server = await startPortico({ args: ["--engine", engine, "--workers", String(workers)] });
    try {
      return await compareWays(pool, server.address, options);
    } finally {
      await server.stop();
    }
  } finally {
    await pool.dispose();
  }
}

async function compareWays(
  pool: WorkerPool,
  address: string,
  options: ThroughputOptions,
): Promise<ThroughputReport> {
  const photos = await readPhotographs();
  const execute = createUnaryCall(address, Operator.method.execute);
  const embed = createUnaryCall(address, EmbeddingService.method.embed);
  const requests = photos.map((bytes) => ({
    execute: frameOf(ExecuteRequestSchema, { datas: [Buffer.from(bytes).toString("base64")] }),
    embed: frameOf(EmbedRequestSchema, { images: [{ source: { case: "data", value: bytes } }] }),
  }));

  const ways: Readonly<Record<"loop" | "execute" | "embed", EmbedPhoto>> = {
    async loop(index) {
      const result = await pool.embed(photos[index]!.slice());
      if (!result.ok) throw result.error;
      return result.vector.length;
    },
    async execute(index) {
      const { vectors } = await execute(requests[index]!.execute);
      return vectors[0]?.element.length ?? 0;
    },
    async embed(index) {
      const { results } = await embed(requests[index]!.embed);
      const outcome = results[0]?.outcome;
      return outcome?.case === "embedding" ? outcome.value.vector.length : 0;
    },
  };
  const names = ["loop", "execute", "embed"] as const;
  // Every worker has started and is warm.
  for (const name of names)
    await runRound(ways[name], photos.length, { ...options, pictures: 8 * options.workers });
  const identity = await measureCallLatency(address, 0, 3);

  const ownCpuMs = () => (process.cpuUsage().user + process.cpuUsage().system) / 1000;
  const cpuOf = {
    loop: async () => ownCpuMs(),
    execute: () => readCpuMs(address),
    embed: () => readCpuMs(address),
  };
  const cpuMs = { loop: 0, execute: 0, embed: 0 };
  const clientCpuMs = { loop: 0, execute: 0, embed: 0 };
  const speeds: Record<(typeof names)[number], number[]> = { loop: [], execute: [], embed: [] };
  for (let round = 0; round < options.rounds; round++) {
    // Each comes first, second and last equally often.
    for (let turn = 0; turn < names.length; turn++) {
      const name = names[(round + turn) % names.length]!;
      const before = await cpuOf[name]();
      const clientBefore = ownCpuMs();
      speeds[name].push(await runRound(ways[name], photos.length, options));
      clientCpuMs[name] += (ownCpuMs() - clientBefore) / (options.rounds * options.pictures);
      cpuMs[name] += ((await cpuOf[name]()) - before) / (options.rounds * options.pictures);
    }
  }
  const compare = (name: "execute" | "embed"): Compared => {
    const ratios = speeds[name].map((speed, round) => speed / speeds.loop[round]!);
    return {
      perSecond: median(speeds[name]),
      ratio: median(ratios),
      ratioMin: Math.min(...ratios),
      ratioMax: Math.max(...ratios),
      cpuMs: cpuMs[name],
      clientCpuMs: clientCpuMs[name],
    };
  };
  return {
    ...options,
    loop: median(speeds.loop),
    loopCpuMs: cpuMs.loop,
    execute: compare("execute"),
    embed: compare("embed"),
    identityIdleP50Ms: identity.identity.p50Ms,
  };
}

/** @returns photographs per second */
async function runRound(
  embed: EmbedPhoto,
  photos: number,
  { pictures, callers }: ThroughputOptions,
): Promise<number> {
  const { perSecond } = await runClosedLoop(
    async (index) => {
      const length = await embed(index % photos);
      if (length !== 2048) throw new Error(`expected a vector of 2048, got ${length}`);
    },
    callers,
    { calls: pictures },
  );
  return perSecond;
}

/** Processor time of the server since its start, in milliseconds. */
async function readCpuMs(address: string): Promise<number> {
  const text = await (await fetch(`http://${address}/metrics`)).text();
  const seconds = /^process_cpu_seconds_total (.*)$/m.exec(text)?.[1];
  if (seconds === undefined) throw new Error("expected process_cpu_seconds_total in /metrics");
  return Number(seconds) * 1000;
}

if (import.meta.main) {
  const usage =
    "npm run bench:throughput -- [--engine NAME] [--rounds N] [--pictures N] [--callers N] [--workers N]";
  const options = orUsage(usage, () => {
    const { engine, ...texts } = parseArgs({
      options: {
        engine: { type: "string", default: "simd" },
        rounds: { type: "string", default: "8" },
        pictures: { type: "string", default: "24" },
        callers: { type: "string", default: "8" },
        workers: { type: "string", default: String(availableParallelism()) },
      },
    }).values;
    if (!isEngineName(engine))
      throw new RangeError(`--engine: expected ${engineNames.join(", ")}, got "${engine}"`);
    return { engine, ...wholeNumbers(texts) };
  });
  console.log(throughputSection([await measureThroughput(options)]));
}

function isEngineName(name: string): name is EngineName {
  return (engineNames as readonly string[]).includes(name);
}
