import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import type { Worker } from "node:worker_threads";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { greyPicture, openMeanModel } from "../../../tools/gpu/mean-model.ts";
import { slowBrokenPng, slowPng } from "../../../tools/load/slow-png.ts";
import { compareVectors } from "../../embed/compare-vectors.ts";
import type { EmbedOptions } from "../../embed/embedder.ts";
import { readVectorGolden } from "../model/vector-golden.ts";
import { maxBatchPictures } from "./batch-line.ts";
import type { CrewCommand } from "./crew-protocol.ts";
import { defaultQueueLimits } from "./job-queue.ts";
import { createWorkerPool, type PoolEvent, type WorkerPool } from "./worker-pool.ts";
import type { WorkerPoolOptions } from "./worker-pool-options.ts";
import type { WorkerCommand, WorkerSetup } from "./worker-protocol.ts";

/** Batches on a processor: what a GPU gets in the same way is ort-webgpu.spec.ts. */

let setup: WorkerSetup;
/** The engine's thread is the first, those that decode come after. */
const threads: Worker[] = [];
/** Resolves once the thread of the same number is ready and has been given a picture that waits. */
const ready: Promise<unknown>[] = [];
process.on("worker", (worker) => {
  threads.push(worker);
  // Whoever waits for the thread has heard of it one turn later.
  ready.push(once(worker, "message").then(() => sleep(1)));
});
beforeAll(async () => {
  setup = await openMeanModel();
});

let pool: WorkerPool | undefined;
let events: PoolEvent[] = [];
/** For threads on a busy machine. */
const patiently = { timeout: 30_000, interval: 5 };
afterEach(() => pool?.dispose());

async function open(options: Partial<WorkerPoolOptions> = {}): Promise<WorkerPool> {
  events = [];
  threads.length = 0;
  ready.length = 0;
  pool = createWorkerPool({
    workers: 2,
    batchedEngine: "ort-wasm",
    queue: defaultQueueLimits,
    // On a busy machine a thread starts slowly.
    noWorkerMaxMs: 60_000,
    loadSetup: async () => setup,
    onEvent: (event) => events.push(event),
    ...options,
  });
  await pool.ready;
  // The threads that decode are there, too.
  expect(await embed(1)).toBe("right");
  events = [];
  return pool;
}

const batches = () => events.flatMap((event) => (event.kind === "batch-begun" ? [event.pictures] : []));
const lost = () => events.flatMap((event) => (event.kind === "worker-lost" ? [event.error.message] : []));
const queued = () => pool?.state().queuedItems;

/** "right", or what came instead. Every tone has another vector, so a vector in another's place is seen. */
async function embed(tone: number, options?: EmbedOptions, bytes?: Uint8Array): Promise<string> {
  const { bytes: small, vector, tolerance } = greyPicture(tone);
  const result = await (pool as WorkerPool).embed(bytes ?? small, options);
  if (!result.ok) return `${result.error.reason}: ${result.error.message}`;
  const { maxAbsError } = compareVectors(result.vector, vector);
  return maxAbsError <= tolerance ? "right" : `off by ${maxAbsError}`;
}

const embedTones = (count: number) => Promise.all(Array.from({ length: count }, (_, tone) => embed(tone)));

/** The thread decodes a picture for half a second, so many times, which nobody hears of; commands wait behind that. */
function hold(thread: Worker | undefined, times = 1): void {
  const embed: WorkerCommand = { kind: "embed", id: -1, bytes: slowBrokenPng(), helpers: undefined };
  const decode: CrewCommand = { id: -1, bytes: slowBrokenPng() };
  for (let time = 0; time < times; time++) thread?.postMessage(thread === threads[0] ? embed : decode);
}

const holdEngine = (times = 1) => hold(threads[0], times);
const sumOf = (numbers: readonly number[]) => numbers.reduce((sum, number) => sum + number, 0);

describe("an engine that takes batches", () => {
  test("has one thread, whatever --workers says, and as many others decode", async () => {
    const { state, concurrency } = await open({ workers: 3 });
    await expect.poll(() => threads.length, patiently).toBe(4);
    expect(state().workers).toBe(1);
    expect(concurrency).toBe(maxBatchPictures);
  });

  test("leaves the concurrency of others as it is", async () => {
    expect((await open({ batchedEngine: "ort-webgpu", workers: 1 })).concurrency).toBe(1);
    expect(threads).toHaveLength(1);
    expect(batches()).toEqual([]);
  });

  test("does not let a lone picture wait for company", async () => {
    await open();
    for (const tone of [10, 20, 30]) expect(await embed(tone)).toBe("right");
    expect(batches()).toEqual([1, 1, 1]);
  });

  test("gets what waits when it is free, 32 pictures at most; no more are decoded meanwhile", async () => {
    await open();
    holdEngine();
    const all = embedTones(100);
    // One is with the engine, a batch waits for it, the others are pictures still.
    await expect.poll(queued, patiently).toBe(100 - 1 - maxBatchPictures);
    expect(batches()).toEqual([1]);
    expect((await all).filter((outcome) => outcome !== "right")).toEqual([]);
    expect(batches().slice(0, 2)).toEqual([1, maxBatchPictures]);
    expect(Math.max(...batches())).toBe(maxBatchPictures);
    expect(sumOf(batches())).toBe(100);
  });

  test("has its time however long that is: no timer holds that of all its pictures", async () => {
    await open({ itemTimeoutMs: 2 ** 31 - 1 });
    holdEngine();
    expect((await embedTones(20)).filter((outcome) => outcome !== "right")).toEqual([]);
    expect(lost()).toEqual([]);
  });

  test("never sees a bad picture, which fails alone", async () => {
    await open();
    holdEngine();
    const first = embed(5);
    await expect.poll(batches, patiently).toEqual([1]);
    const all = [embed(60), embed(70, {}, slowBrokenPng()), embed(80), embed(90, {}, new Uint8Array(9))];
    expect(await Promise.all([first, ...all])).toEqual([
      "right",
      "right",
      expect.stringMatching(/^IMAGE_CORRUPT: /),
      "right",
      expect.stringMatching(/^IMAGE_UNSUPPORTED: /),
    ]);
    expect(sumOf(batches())).toBe(3);
  });

  test("does not get a picture whose caller has gone", async () => {
    const { state } = await open();
    const gone = new AbortController();
    holdEngine();
    const first = embed(5);
    await expect.poll(batches, patiently).toEqual([1]);
    const others = [embed(60), embed(70, { signal: gone.signal }), embed(80)];
    await expect.poll(() => state().queuedItems, patiently).toBe(0);
    gone.abort();
    expect(await others[1]).toBe("CANCELLED: the caller went away before the work was done");
    expect(await Promise.all([first, others[0], others[2]])).toEqual(["right", "right", "right"]);
    expect(sumOf(batches())).toBe(3);
  });

  test("refuses what neither it nor the queue holds", async () => {
    await open({ queue: { maxItems: 2, maxBytes: 2 ** 20 } });
    holdEngine(2);
    const all: Promise<string>[] = [];
    // As many as the line takes, one after the other, since each has its turn in the queue.
    for (let tone = 0; tone < 1 + maxBatchPictures; tone++) {
      all.push(embed(tone));
      await expect.poll(queued, patiently).toBe(0);
    }
    for (const tone of [100, 101]) all.push(embed(tone));
    expect(await embed(102)).toBe(
      "OVERLOADED: expected fewer than 2 pictures to wait (--max-queued-items); try again later",
    );
    expect(new Set(await Promise.all(all))).toEqual(new Set(["right"]));
  });

  test("tells everybody when it is closed", async () => {
    const embedder = await open();
    holdEngine();
    const all = embedTones(100);
    await expect.poll(queued, patiently).toBe(100 - 1 - maxBatchPictures);
    await embedder.dispose();
    expect(new Set(await all)).toEqual(new Set(["SHUTTING_DOWN: the worker pool is closed"]));
    expect(await embed(1)).toBe("SHUTTING_DOWN: the worker pool is closed");
  });
});

describe("a thread that decodes", () => {
  test("is replaced when it ends, and its picture tried again; the others have their places", async () => {
    await open({ workers: 1 });
    const all = [embed(3, {}, slowPng(3)), embed(4), embed(5)];
    await threads[1]?.terminate();
    expect(await Promise.all(all)).toEqual(["right", "right", "right"]);
    expect(lost()).toEqual(["a worker ended with exit code 1; it is being replaced, try again"]);
    expect(threads).toHaveLength(3);
  });

  test("is taken down twice by a picture, which alone fails", async () => {
    await open({ workers: 1 });
    const all = [embed(3), embed(4, {}, slowPng(4)), embed(5)];
    expect(await all[0]).toBe("right");
    await threads[1]?.terminate();
    await expect.poll(() => ready.length, patiently).toBe(3);
    await ready[2];
    await threads[2]?.terminate();
    expect(await all[1]).toBe(
      "ENGINE_FAILED: a worker ended with exit code 1; it is being replaced, try again",
    );
    expect(await all[2]).toBe("right");
    expect(lost()).toHaveLength(2);
  });

  test("is replaced when a picture takes too long, which is not tried again", async () => {
    await open({ workers: 1, itemTimeoutMs: 2_000 });
    hold(threads[1], 20);
    expect(await Promise.all([embed(3), embed(4)])).toEqual([
      "IMAGE_TOO_SLOW: expected a picture to take at most 2000 ms (--item-timeout-ms); its worker is being replaced",
      "right",
    ]);
    expect(lost()).toHaveLength(1);
  });

  test("is replaced once its WebAssembly memory has grown", async () => {
    await open({ workers: 1, workerMaxMemoryBytes: 2 ** 20 });
    const { bytes } = await readVectorGolden("photo/locomotion-house-cat.jpg");
    for (const _ of [1, 2]) expect((await pool?.embed(bytes))?.ok).toBe(true);
    // That of onnxruntime-web has grown beyond it, too.
    await expect.poll(() => pool?.state().workers, patiently).toBe(1);
    expect(events.filter(({ kind }) => kind === "worker-outgrown").length).toBeGreaterThanOrEqual(2);
    expect(lost()).toEqual([]);
  });

  test("if there is none for long, what waits is told to try again", async () => {
    await open({ workers: 1, noWorkerMaxMs: 1 });
    const kill = (worker: Worker) => void worker.terminate();
    process.on("worker", kill);
    try {
      await threads[1]?.terminate();
      expect(await embed(7)).toBe(
        "NOT_READY: no worker has lived for 0.001 s; they are being started, try again later",
      );
      expect(pool?.isReady()).toBe(false);
    } finally {
      process.off("worker", kill);
    }
    await expect.poll(() => embed(8), patiently).toBe("right");
  });
});

describe("the engine's thread", () => {
  test("is replaced when it ends; the pictures of its batch are tried again, one by one", async () => {
    const { isReady } = await open();
    holdEngine(2);
    const all = embedTones(60);
    await expect.poll(queued, patiently).toBe(60 - 1 - maxBatchPictures);
    await threads[0]?.terminate();
    expect(isReady()).toBe(false);
    expect((await all).filter((outcome) => outcome !== "right")).toEqual([]);
    expect(isReady()).toBe(true);
    expect(lost()).toEqual(["a worker ended with exit code 1; it is being replaced, try again"]);
    // The first was lost and has a run of its own again.
    expect(sumOf(batches())).toBe(61);
    expect(batches().filter((pictures) => pictures === 1).length).toBeGreaterThanOrEqual(2);
  });

  test("that ends with a batch of many loses none of them, nor their places", async () => {
    await open();
    holdEngine();
    const first = embed(200);
    await expect.poll(batches, patiently).toEqual([1]);
    // Between the first run and the next.
    holdEngine();
    const all = embedTones(20);
    expect(await first).toBe("right");
    await expect.poll(() => batches().length, patiently).toBe(2);
    await threads[0]?.terminate();
    expect((await all).filter((outcome) => outcome !== "right")).toEqual([]);
    const held = batches()[1] as number;
    expect(held).toBeGreaterThan(2);
    expect(sumOf(batches())).toBe(1 + 20 + held);
    expect(batches().filter((pictures) => pictures === 1).length).toBeGreaterThanOrEqual(held);
  });

  test("is replaced when a run takes too long, and its pictures are tried again", async () => {
    await open({ itemTimeoutMs: 2_000 });
    holdEngine(20);
    expect(await embed(9)).toBe("right");
    expect(lost()).toEqual([
      "expected a run of 1 picture to take at most 2000 ms (2000 for each, --item-timeout-ms); its worker is being replaced, try again",
    ]);
    expect(batches()).toEqual([1, 1]);
  });
});
