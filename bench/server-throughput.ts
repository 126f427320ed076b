import { readdir, readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { Operator } from "../src/gen/omnisearch/operator_pb.ts";
import { EmbeddingService } from "../src/gen/portico/v1/embedding_pb.ts";
import { defaultImageLimits } from "../src/image/pixels.ts";
import { findModelManifest } from "../src/node/model/model-catalog.ts";
import { prepareModel } from "../src/node/model/model-store.ts";
import { openEmbedder } from "../src/node/open-embedder.ts";
import { defaultQueueLimits } from "../src/node/pool/job-queue.ts";
import { defaultWorkerLimits } from "../src/node/pool/pooled-worker.ts";
import { defaultWorkerMaxMemoryBytes } from "../src/node/pool/worker-pool-options.ts";
import { orUsage, wholeNumbers } from "../tools/or-usage.ts";
import { startPortico } from "../tools/start-portico.ts";
import { measureCallLatency } from "./call-latency.ts";
import {
  type Compared,
  printThroughput,
  type ThroughputOptions,
  type ThroughputReport,
} from "./throughput-report.ts";

/**
 * What the server costs beside its work: photographs per second through a worker pool called directly, and
 * through a server with as many workers, by Execute and by Embed over gRPC. Rounds of the three alternate on
 * one machine, and the ratio of neighbours counts, so that other work on the machine falls on all alike. Time of
 * processors per photograph is told too: it hardly depends on what else runs, and leaves the callers out.
 * `node bench/server-throughput.ts [--rounds 8] [--pictures 24] [--callers 8] [--workers 2] [--json]`
 */

/** Embeds the photograph of this number and gives its vector's length. */
type EmbedPhoto = (index: number) => Promise<number>;

export async function measureThroughput(options: ThroughputOptions): Promise<ThroughputReport> {
  const { workers } = options;
  const photos = await readPhotos();
  const datas = photos.map((bytes) => Buffer.from(bytes).toString("base64"));
  const manifest = await findModelManifest("resnet50");
  const pool = openEmbedder({
    manifest,
    prepare: () => prepareModel(manifest),
    engine: "ort-wasm",
    workers,
    threads: 1,
    limits: defaultImageLimits,
    itemTimeoutMs: defaultWorkerLimits.itemTimeoutMs,
    workerMaxMemoryBytes: defaultWorkerMaxMemoryBytes,
    queue: defaultQueueLimits,
  });
  await pool.ready;
  const server = await startPortico({ args: ["--workers", String(workers)] });
  const transport = createGrpcTransport({ baseUrl: `http://${server.address}` });
  const [operator, embedding] = [
    createClient(Operator, transport),
    createClient(EmbeddingService, transport),
  ];

  const ways: Readonly<Record<"loop" | "execute" | "embed", EmbedPhoto>> = {
    async loop(index) {
      const result = await pool.embed(photos[index]!.slice());
      if (!result.ok) throw result.error;
      return result.vector.length;
    },
    async execute(index) {
      const { vectors } = await operator.execute({ datas: [datas[index]!] });
      return vectors[0]?.element.length ?? 0;
    },
    async embed(index) {
      const { results } = await embedding.embed({
        images: [{ source: { case: "data", value: photos[index]! } }],
      });
      const outcome = results[0]?.outcome;
      return outcome?.case === "embedding" ? outcome.value.vector.length : 0;
    },
  };
  const names = ["loop", "execute", "embed"] as const;
  // Every worker has started and is warm.
  for (const name of names) await runRound(ways[name], photos.length, { ...options, pictures: 8 * workers });
  const identity = await measureCallLatency(server.address, 0, 3);

  const cpuOf = {
    loop: async () => (process.cpuUsage().user + process.cpuUsage().system) / 1000,
    execute: () => readCpuMs(server.address),
    embed: () => readCpuMs(server.address),
  };
  const cpuMs = { loop: 0, execute: 0, embed: 0 };
  const speeds: Record<(typeof names)[number], number[]> = { loop: [], execute: [], embed: [] };
  for (let round = 0; round < options.rounds; round++) {
    // Each comes first, second and last equally often.
    for (let turn = 0; turn < names.length; turn++) {
      const name = names[(round + turn) % names.length]!;
      const before = await cpuOf[name]();
      speeds[name].push(await runRound(ways[name], photos.length, options));
      cpuMs[name] += ((await cpuOf[name]()) - before) / (options.rounds * options.pictures);
    }
  }
  await server.stop();
  await pool.dispose();

  const compare = (name: "execute" | "embed"): Compared => {
    const ratios = speeds[name].map((speed, round) => speed / speeds.loop[round]!);
    return {
      perSecond: median(speeds[name]),
      ratio: median(ratios),
      ratioMin: Math.min(...ratios),
      ratioMax: Math.max(...ratios),
      cpuMs: cpuMs[name],
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
  const start = performance.now();
  let next = 0;
  async function call(): Promise<void> {
    while (next < pictures) {
      const length = await embed(next++ % photos);
      if (length !== 2048) throw new Error(`expected a vector of 2048, got ${length}`);
    }
  }
  await Promise.all(Array.from({ length: callers }, call));
  return pictures / ((performance.now() - start) / 1000);
}

/** Processor time of the server since its start, in milliseconds. */
async function readCpuMs(address: string): Promise<number> {
  const text = await (await fetch(`http://${address}/metrics`)).text();
  const seconds = /^process_cpu_seconds_total (.*)$/m.exec(text)?.[1];
  if (seconds === undefined) throw new Error("expected process_cpu_seconds_total in /metrics");
  return Number(seconds) * 1000;
}

async function readPhotos(): Promise<Uint8Array[]> {
  const folder = new URL("../fixtures/images/photo/", import.meta.url);
  const files = (await readdir(folder)).sort();
  return Promise.all(files.map(async (file) => new Uint8Array(await readFile(new URL(file, folder)))));
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] ?? Number.NaN) + (sorted[Math.ceil(middle)] ?? Number.NaN)) / 2;
}

if (import.meta.main) {
  const usage =
    "npm run bench:throughput -- [--rounds N] [--pictures N] [--callers N] [--workers N] [--json]";
  const { json, ...options } = orUsage(usage, () => {
    const { values } = parseArgs({
      options: {
        rounds: { type: "string", default: "8" },
        pictures: { type: "string", default: "24" },
        callers: { type: "string", default: "8" },
        workers: { type: "string", default: "2" },
        json: { type: "boolean", default: false },
      },
    });
    const { json, ...texts } = values;
    return { json, ...wholeNumbers(texts) };
  });
  const report = await measureThroughput(options);
  if (json) console.log(JSON.stringify(report, undefined, 2));
  else printThroughput(report);
}
