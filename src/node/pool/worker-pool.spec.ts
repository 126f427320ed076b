import type { Worker } from "node:worker_threads";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { compareVectors } from "../../embed/compare-vectors.ts";
import type { EmbedResult } from "../../embed/embedder.ts";
import type { SelfCheck } from "../../embed/self-check.ts";
import { defaultImageLimits } from "../../image/pixels.ts";
import { findModelManifest } from "../model/model-catalog.ts";
import { prepareModel } from "../model/model-store.ts";
import { readModel } from "../model/read-model.ts";
import { readVectorGolden } from "../model/vector-golden.ts";
import { defaultQueueLimits } from "./job-queue.ts";
import { loadCodecs } from "./load-codecs.ts";
import { loadKernels } from "./load-kernels.ts";
import { createWorkerPool, type PoolEvent, type WorkerPool } from "./worker-pool.ts";
import type { WorkerPoolOptions } from "./worker-pool-options.ts";
import type { CheckedSetup } from "./worker-protocol.ts";

let setup: CheckedSetup;
let photo: SelfCheck;
/** Every worker thread that this process starts, so that a test can kill one. */
const threads: Worker[] = [];
process.on("worker", (worker) => threads.push(worker));

beforeAll(async () => {
  const manifest = await findModelManifest("resnet50");
  photo = await readVectorGolden("photo/locomotion-house-cat.jpg");
  setup = {
    engine: "simd",
    onnx: await readModel(await prepareModel(manifest), manifest),
    codecs: await loadCodecs(),
    kernels: await loadKernels(),
    selfCheck: await readVectorGolden("photo/allium-oreophilum.jpg"),
    preprocess: manifest.preprocess,
    limits: defaultImageLimits,
    threads: 1,
  };
});

let pool: WorkerPool | undefined;
let events: PoolEvent[] = [];
/** Told which worker of the test it is, just before it takes work. */
let onReady: (count: number) => void = () => undefined;
/** For a worker to start on a busy machine. */
const patiently = { timeout: 30_000 };
afterEach(() => pool?.dispose());

function open(options: Partial<WorkerPoolOptions> = {}): WorkerPool {
  events = [];
  onReady = () => undefined;
  threads.length = 0;
  pool = createWorkerPool({
    workers: 1,
    itemTimeoutMs: 30_000,
    // On a busy machine a thread starts slowly.
    noWorkerMaxMs: 60_000,
    queue: defaultQueueLimits,
    loadSetup: async () => setup,
    onEvent(event) {
      events.push(event);
      if (event.kind === "worker-ready") onReady(kindsOf("worker-ready").length);
    },
    ...options,
  });
  return pool;
}

const onOrtWasm = { loadSetup: async () => ({ ...setup, engine: "ort-wasm" }) as const };

const photoBytes = () => Uint8Array.from(photo.bytes);

function expectPhotoVector(result: EmbedResult): void {
  if (!result.ok) throw result.error;
  expect(compareVectors(result.vector, photo.vector).maxAbsError).toBeLessThanOrEqual(photo.tolerance);
}

const kindsOf = (kind: PoolEvent["kind"]) => events.filter((event) => event.kind === kind);

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

  test("leaves the bytes as they are, be they a part of a larger buffer", async () => {
    const embedder = open();
    const owned = photoBytes();
    const larger = Buffer.concat([Buffer.alloc(4), owned, Buffer.alloc(4)]);
    const part = larger.subarray(4, 4 + owned.length);
    const results = await Promise.all([embedder.embed(owned), embedder.embed(part)]);
    results.forEach(expectPhotoVector);
    expect(owned).toEqual(Uint8Array.from(photo.bytes));
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

  test("a killed worker is replaced, and its picture tried again", async () => {
    const embedder = open();
    await embedder.ready;
    const held = embedder.embed(photoBytes());
    const waiting = embedder.embed(photoBytes());
    await threads.at(-1)?.terminate();
    expect(embedder.isReady()).toBe(false);
    expectPhotoVector(await held);
    expectPhotoVector(await waiting);
    expect(embedder.isReady()).toBe(true);
    expect(threads).toHaveLength(2);
    expect(events.filter(({ kind }) => kind === "worker-lost")).toMatchObject([{ restartInMs: 100 }]);
  });

  test("a picture that loses a second worker fails, and takes down no third", async () => {
    const embedder = open();
    await embedder.ready;
    const held = embedder.embed(photoBytes());
    await threads[0]?.terminate();
    onReady = (count) => count === 2 && void threads.at(-1)?.terminate();
    expect(failureOf(await held)).toEqual({
      reason: "ENGINE_FAILED",
      message: "a worker ended with exit code 1; it is being replaced, try again",
    });
    expectPhotoVector(await embedder.embed(photoBytes()));
    expect(threads).toHaveLength(3);
  });

  test.each([
    { hasRoom: true, changes: [true] },
    { hasRoom: false, changes: [true, false, true] },
  ])("a worker that has grown is replaced, room for both: $hasRoom", async ({ hasRoom, changes }) => {
    const embedder = open({ ...onOrtWasm, workerMaxMemoryBytes: 2 ** 20, hasRoom: () => hasRoom });
    for (const _ of [1, 2]) expectPhotoVector(await embedder.embed(photoBytes()));
    await expect.poll(() => kindsOf("worker-outgrown"), patiently).not.toEqual([]);
    await expect.poll(() => kindsOf("worker-ready").length, patiently).toBeGreaterThan(1);
    await expect.poll(() => embedder.state().workers, patiently).toBe(1);
    expect(kindsOf("worker-lost")).toEqual([]);
    const seen = events.flatMap((event) => (event.kind === "ready-changed" ? [event.ready] : []));
    expect(seen.slice(0, changes.length)).toEqual(changes);
    // onnxruntime-web's own memory counts, shared as it is.
    expect(events.find(({ kind }) => kind === "worker-outgrown")).toMatchObject({
      wasmBytes: expect.toSatisfy((bytes: number) => bytes > 200 * 2 ** 20),
    });
  });

  test("after failures in a row it is not ready, and finds out by itself when it is again", async () => {
    const embedder = open({ recentSuccess: { maxFailuresInARow: 2, maxStallMs: 60_000 } });
    await embedder.ready;
    const held = embedder.embed(photoBytes());
    await threads[0]?.terminate();
    onReady = (count) => count === 2 && void threads.at(-1)?.terminate();
    expect(failureOf(await held)).toMatchObject({ reason: "ENGINE_FAILED" });
    // Nobody calls, but the self-check's picture passes.
    await expect.poll(() => embedder.isReady(), patiently).toBe(true);
    const order = events.map(({ kind }) => kind);
    expect(order.slice(order.lastIndexOf("worker-ready"))).toEqual(["worker-ready", "ready-changed"]);
  });

  test("is not ready while work waits and nothing succeeds", async () => {
    const embedder = open({ recentSuccess: { maxFailuresInARow: 5, maxStallMs: 1 } });
    await embedder.ready;
    const held = [0, 1, 2, 3, 4, 5, 6, 7].map(() => embedder.embed(photoBytes()));
    await expect.poll(() => embedder.isReady(), { interval: 5 }).toBe(false);
    for (const result of await Promise.all(held)) expectPhotoVector(result);
    expect(embedder.isReady()).toBe(true);
  });

  test("without any worker for long, what waits is told to try again", async () => {
    const embedder = open({ noWorkerMaxMs: 1 });
    await embedder.ready;
    const held = embedder.embed(photoBytes());
    await threads[0]?.terminate();
    let message = "";
    // Whatever is started is ended, until the picture is given up.
    const kill = (worker: Worker) => void worker.terminate();
    process.on("worker", kill);
    try {
      const result = await held;
      if (!result.ok) message = `${result.error.reason}: ${result.error.message}`;
    } finally {
      process.off("worker", kill);
    }
    expect(message).toBe(
      "NOT_READY: no worker has lived for 0.001 s; they are being started, try again later",
    );
    await expect.poll(() => embedder.isReady(), patiently).toBe(true);
    expectPhotoVector(await embedder.embed(photoBytes()));
  });

  test("a start that takes too long is given up", async () => {
    const embedder = open({ startTimeoutMs: 1 });
    await expect(embedder.ready).rejects.toMatchObject({
      reason: "ENGINE_FAILED",
      message: "expected a worker to be ready after at most 1 ms",
    });
  });

  test("a picture that takes too long costs its worker, and is not tried again", async () => {
    const embedder = open({ itemTimeoutMs: 1 });
    await embedder.ready;
    expect(failureOf(await embedder.embed(photoBytes()))).toEqual({
      reason: "IMAGE_TOO_SLOW",
      message: "expected a picture to take at most 1 ms (--item-timeout-ms); its worker is being replaced",
    });
    expect(events.filter(({ kind }) => kind === "worker-lost")).toHaveLength(1);
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
    const embedder = open({
      loadSetup: async () => ({ ...setup, engine: "ort-wasm", onnx: new Uint8Array(64) }),
    });
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
    expect(failureOf(await held)).toMatchObject({ reason: "SHUTTING_DOWN" });
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
