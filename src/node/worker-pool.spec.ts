import type { Worker } from "node:worker_threads";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { compareVectors } from "../embed/compare-vectors.ts";
import type { Embedder, EmbedResult } from "../embed/embedder.ts";
import type { SelfCheck } from "../embed/self-check.ts";
import { defaultImageLimits } from "../image/pixels.ts";
import { defaultQueueLimits } from "./job-queue.ts";
import { loadCodecs } from "./load-codecs.ts";
import { findModelManifest } from "./model-catalog.ts";
import { prepareModel } from "./model-store.ts";
import { readModel } from "./read-model.ts";
import { readVectorGolden } from "./vector-golden.ts";
import { createWorkerPool, type PoolEvent, type WorkerPoolOptions } from "./worker-pool.ts";
import type { WorkerSetup } from "./worker-protocol.ts";

let setup: WorkerSetup;
let photo: SelfCheck;
/** Every worker thread that this process starts, so that a test can kill one. */
const threads: Worker[] = [];
process.on("worker", (worker) => threads.push(worker));

beforeAll(async () => {
  const manifest = await findModelManifest("resnet50");
  photo = await readVectorGolden("photo/locomotion-house-cat.jpg");
  setup = {
    engine: "ort-wasm",
    onnx: await readModel(await prepareModel(manifest), manifest),
    codecs: await loadCodecs(),
    selfCheck: await readVectorGolden("photo/allium-oreophilum.jpg"),
    preprocess: manifest.preprocess,
    limits: defaultImageLimits,
    threads: 1,
  };
});

let pool: Embedder | undefined;
let events: PoolEvent[] = [];
afterEach(() => pool?.dispose());

function open(options: Partial<WorkerPoolOptions> = {}): Embedder {
  events = [];
  threads.length = 0;
  pool = createWorkerPool({
    workers: 1,
    itemTimeoutMs: 30_000,
    queue: defaultQueueLimits,
    loadSetup: async () => setup,
    onEvent: (event) => events.push(event),
    ...options,
  });
  return pool;
}

const photoBytes = () => Uint8Array.from(photo.bytes);

function expectPhotoVector(result: EmbedResult): void {
  if (!result.ok) throw result.error;
  expect(compareVectors(result.vector, photo.vector).maxAbsError).toBeLessThanOrEqual(photo.tolerance);
}

const failureOf = (result: EmbedResult) =>
  result.ok ? "ok" : { reason: result.error.reason, message: result.error.message };

describe("a pool of real workers", () => {
  test("holds work until it is ready, and gives results and facts", async () => {
    const embedder = open();
    expect(embedder.isReady()).toBe(false);
    const result = await embedder.embed(photoBytes());
    expectPhotoVector(result);
    expect(result).toMatchObject({ format: "jpeg", width: 1024, height: expect.any(Number) });
    expect(embedder.isReady()).toBe(true);
    expect(events.map(({ kind }) => kind)).toEqual(["worker-ready", "ready-changed"]);
  });

  test("transfers bytes that own their memory and copies a part of a larger buffer", async () => {
    const embedder = open();
    const owned = photoBytes();
    const larger = Buffer.concat([Buffer.alloc(4), owned, Buffer.alloc(4)]);
    const part = larger.subarray(4, 4 + owned.length);
    const results = await Promise.all([embedder.embed(owned), embedder.embed(part)]);
    results.forEach(expectPhotoVector);
    expect(owned.length).toBe(0);
    expect(part).toEqual(Buffer.from(photo.bytes));
  });

  test("a bad picture fails alone", async () => {
    const embedder = open();
    const [before, bad, after] = await Promise.all([
      embedder.embed(photoBytes()),
      embedder.embed(photoBytes().slice(0, 1000)),
      embedder.embed(photoBytes()),
    ]);
    expectPhotoVector(before);
    expect(failureOf(bad)).toMatchObject({ reason: "IMAGE_CORRUPT" });
    expectPhotoVector(after);
  });

  test("a killed worker fails its own picture only, and is replaced", async () => {
    const embedder = open();
    await embedder.ready;
    const held = embedder.embed(photoBytes());
    const waiting = embedder.embed(photoBytes());
    await threads.at(-1)?.terminate();
    expect(embedder.isReady()).toBe(false);
    expect(failureOf(await held)).toEqual({
      reason: "ENGINE_FAILED",
      message: "a worker ended with exit code 1; it is being replaced, try again",
    });
    expectPhotoVector(await waiting);
    expect(embedder.isReady()).toBe(true);
    expect(threads).toHaveLength(2);
    expect(events.filter(({ kind }) => kind === "worker-lost")).toMatchObject([{ restartInMs: 100 }]);
  });

  test("a picture that takes too long costs its worker", async () => {
    const embedder = open({ itemTimeoutMs: 1 });
    await embedder.ready;
    expect(failureOf(await embedder.embed(photoBytes()))).toEqual({
      reason: "IMAGE_TOO_SLOW",
      message: "expected a picture to take at most 1 ms (--item-timeout-ms); its worker is being replaced",
    });
  });

  test("drops work whose caller has gone before its turn", async () => {
    const embedder = open();
    const gone = new AbortController();
    const first = embedder.embed(photoBytes());
    const second = embedder.embed(photoBytes(), { signal: gone.signal });
    gone.abort();
    const order: string[] = [];
    await Promise.all([first.then(() => order.push("first")), second.then(() => order.push("second"))]);
    expect(order).toEqual(["second", "first"]);
    expect(failureOf(await second)).toMatchObject({ reason: "CANCELLED" });
    expectPhotoVector(await first);
  });

  test("a worker whose vector drifts never takes work", async () => {
    const vector = setup.selfCheck.vector.slice();
    vector[7] = (vector[7] as number) + 0.001;
    const embedder = open({
      loadSetup: async () => ({ ...setup, selfCheck: { ...setup.selfCheck, vector } }),
    });
    const held = embedder.embed(photoBytes());
    await expect(embedder.ready).rejects.toMatchObject({
      reason: "VECTOR_DRIFT",
      message: expect.stringMatching(
        /^expected the embedding of photo\/allium-oreophilum\.jpg within 0\.000001 of Keras's, got a largest absolute error of 0\.00(1|0999)/,
      ),
    });
    expect(failureOf(await held)).toMatchObject({ reason: "VECTOR_DRIFT" });
    expect(failureOf(await embedder.embed(photoBytes()))).toMatchObject({ reason: "VECTOR_DRIFT" });
    expect(embedder.isReady()).toBe(false);
  });

  test("a file that is no model is refused", async () => {
    const embedder = open({ loadSetup: async () => ({ ...setup, onnx: new Uint8Array(64) }) });
    await expect(embedder.ready).rejects.toMatchObject({
      reason: "MODEL_CORRUPT",
      message: "onnxruntime-web cannot load this model of 64 bytes",
    });
  });

  test("a first worker that dies while it starts is told to all callers", async () => {
    const embedder = open();
    const held = embedder.embed(photoBytes());
    await expect.poll(() => threads.length).toBe(1);
    await threads[0]?.terminate();
    const expected = {
      reason: "ENGINE_FAILED",
      // Node gives 0 if the thread had not begun to run when it was ended, else 1.
      message: expect.stringMatching(/^a worker ended with exit code [01] before it was ready$/),
    };
    await expect(embedder.ready).rejects.toMatchObject(expected);
    expect(failureOf(await held)).toEqual(expected);
    expect(failureOf(await embedder.embed(photoBytes()))).toEqual(expected);
  });

  test("refuses at once what the queue does not hold", async () => {
    const embedder = open({ queue: { maxItems: 1, maxBytes: 2 ** 20 } });
    const results = await Promise.all([1, 2, 3].map(() => embedder.embed(photoBytes())));
    expect(results.map(failureOf)).toEqual([
      "ok",
      expect.objectContaining({ reason: "OVERLOADED" }),
      expect.objectContaining({ reason: "OVERLOADED" }),
    ]);
  });

  test("after dispose nothing waits for ever", async () => {
    const embedder = open();
    await embedder.ready;
    const held = embedder.embed(photoBytes());
    const waiting = embedder.embed(photoBytes());
    await embedder.dispose();
    expect(failureOf(await held)).toMatchObject({ reason: "ENGINE_FAILED" });
    expect(failureOf(await waiting)).toEqual({
      reason: "SHUTTING_DOWN",
      message: "the worker pool is closed",
    });
    expect(failureOf(await embedder.embed(photoBytes()))).toEqual({
      reason: "SHUTTING_DOWN",
      message: "the worker pool is closed",
    });
  });
});
