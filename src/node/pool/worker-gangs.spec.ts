import { setTimeout as delay } from "node:timers/promises";
import type { Worker } from "node:worker_threads";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import type { SelfCheck } from "../../embed/self-check.ts";
import { defaultImageLimits } from "../../image/pixels.ts";
import { findModelManifest } from "../model/model-catalog.ts";
import { prepareModel } from "../model/model-store.ts";
import { readModel } from "../model/read-model.ts";
import { readVectorGolden } from "../model/vector-golden.ts";
import { defaultQueueLimits } from "./job-queue.ts";
import { loadCodecs } from "./load-codecs.ts";
import { loadKernels } from "./load-kernels.ts";
import { createWorkerPool, type WorkerPool } from "./worker-pool.ts";
import type { WorkerSetup } from "./worker-protocol.ts";

const workers = 4;
/** For workers to start on a busy machine. */
const patiently = { timeout: 60_000 };
let setup: WorkerSetup;
let photos: SelfCheck[];
let pool: WorkerPool;
const threads: Worker[] = [];
process.on("worker", (worker) => threads.push(worker));

beforeAll(async () => {
  const manifest = await findModelManifest("resnet50");
  const names = ["allium-oreophilum.jpg", "black-canyon.jpg", "locomotion-house-cat.jpg"];
  photos = await Promise.all(names.map((name) => readVectorGolden(`photo/${name}`)));
  setup = {
    engine: "simd",
    onnx: await readModel(await prepareModel(manifest), manifest),
    codecs: await loadCodecs(),
    kernels: await loadKernels(),
    selfCheck: photos[0]!,
    preprocess: manifest.preprocess,
    limits: defaultImageLimits,
    threads: 1,
  };
});
afterEach(() => pool?.dispose());

async function open(gangThreads: number, kernels = setup.kernels): Promise<void> {
  threads.length = 0;
  pool = createWorkerPool({
    workers,
    gangThreads,
    queue: defaultQueueLimits,
    loadSetup: async () => ({ ...setup, kernels }),
  });
  await pool.ready;
  await expect.poll(() => pool.state().workers, patiently).toBe(workers);
}

async function embed(photo: SelfCheck): Promise<Float32Array> {
  const result = await pool.embed(Uint8Array.from(photo.bytes));
  if (!result.ok) throw result.error;
  return result.vector;
}

async function embedAlone(gangThreads: number, isRelaxed: boolean): Promise<Float32Array[]> {
  await open(gangThreads, await loadKernels(isRelaxed));
  const vectors = [];
  for (const photo of photos) vectors.push(await embed(photo));
  expect(pool.state().helps > 0).toBe(gangThreads > 1);
  await pool.dispose();
  return vectors;
}

describe.each([
  ["relaxed", true],
  ["plain", false],
] as const)("the %s kernels", (_, isRelaxed) => {
  test("give the same bits whether one, two, three or four threads share a picture", async () => {
    const alone = await embedAlone(1, isRelaxed);
    for (const gangThreads of [2, 3, 4]) {
      expect(await embedAlone(gangThreads, isRelaxed), `${gangThreads} threads`).toEqual(alone);
    }
  });
});

test("work of its own goes before help: with as many pictures as workers each takes one", async () => {
  await open(workers);
  const alone = await Promise.all(photos.map(embed));
  const many = Array.from({ length: 24 }, (_, index) => photos[index % photos.length]!);
  const vectors = await Promise.all(many.map(embed));
  for (const [index, vector] of vectors.entries()) expect(vector).toEqual(alone[index % photos.length]);
});

test("the memory that workers share is no worker's own", async () => {
  const kinds: string[] = [];
  pool = createWorkerPool({
    workers: 1,
    queue: defaultQueueLimits,
    loadSetup: async () => setup,
    // Less than the weights take, and twice what one worker needs for itself.
    workerMaxMemoryBytes: 128 * 2 ** 20,
    onEvent: ({ kind }) => kinds.push(kind),
  });
  for (const photo of photos) await embed(photo);
  expect(kinds).toEqual(["worker-ready", "ready-changed"]);
});

test("workers that end while they share a picture cost it nothing but time", async () => {
  await open(workers);
  const [photo] = photos as [SelfCheck];
  const vector = await embed(photo);
  for (const victim of [0, 1, 2, 3]) {
    const picture = embed(photo);
    // Decoded by then, and in the engine's hands. One of them leads, the others help.
    await delay(25);
    await threads[victim]?.terminate();
    expect(await picture).toEqual(vector);
  }
  await expect.poll(() => pool.state().workers, patiently).toBe(workers);
  expect(await embed(photo)).toEqual(vector);
});
