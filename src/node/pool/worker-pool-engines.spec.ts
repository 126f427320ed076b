import type { Worker } from "node:worker_threads";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { flatPng } from "../../../tools/load/flat-png.ts";
import { openTinyModel } from "../../../tools/load/tiny-model.ts";
import { type Graph, ints } from "../../convert/graph.ts";
import { writeOnnx } from "../../convert/write-onnx.ts";
import type { EmbedResult } from "../../embed/embedder.ts";
import type { SelfCheck } from "../../embed/self-check.ts";
import { defaultQueueLimits } from "./job-queue.ts";
import { createWorkerPool, type PoolEvent, type WorkerPool } from "./worker-pool.ts";
import type { CheckedSetup, WorkerSetup } from "./worker-protocol.ts";

/** What `auto` comes to, with real workers and engines. */

let tiny: CheckedSetup;
const threads: Worker[] = [];
process.on("worker", (worker) => threads.push(worker));
beforeAll(async () => {
  tiny = (await openTinyModel()).setup;
});

let pool: WorkerPool | undefined;
let events: PoolEvent[] = [];
afterEach(() => pool?.dispose());

function open(setup: Partial<WorkerSetup>, workers = 1): WorkerPool {
  events = [];
  threads.length = 0;
  pool = createWorkerPool({
    workers,
    queue: defaultQueueLimits,
    loadSetup: async () => ({ ...tiny, engine: "simd", fallbacks: ["ort-wasm"], ...setup }),
    onEvent: (event) => events.push(event),
  });
  return pool;
}

/** Engines in the order of events: passed over with its reason, or ready. */
const story = () =>
  events.flatMap((event) => {
    if (event.kind === "engine-passed-over") {
      return [`${event.engine}: ${event.error.reason}, next ${event.next}`];
    }
    return event.kind === "worker-ready" ? [`${event.engine} is ready`] : [];
  });

function vectorOf(result: EmbedResult): Float32Array {
  if (!result.ok) throw result.error;
  return result.vector;
}

/** The mean of each channel, and Gauss's error function of that, which `simd` does not have. */
const erfGraph: Graph = {
  input: { name: "input", shape: [8, 8, 3] },
  output: { name: "erf", dimension: 3 },
  nodes: [
    { op: "Transpose", inputs: ["input"], output: "picture", attributes: { perm: ints([0, 3, 1, 2]) } },
    { op: "GlobalAveragePool", inputs: ["picture"], output: "pooled", attributes: {} },
    { op: "Flatten", inputs: ["pooled"], output: "flat", attributes: {} },
    { op: "Erf", inputs: ["flat"], output: "erf", attributes: {} },
  ],
  constants: new Map(),
};

/** Less ImageNet's means (103.9, 116.8, 123.7) its samples are far above, below and below 0. */
const grey: SelfCheck = {
  name: "a grey picture",
  bytes: flatPng(8, 8, 110),
  vector: Float32Array.of(1, -1, -1).map((sign) => sign / Math.sqrt(3)),
  tolerance: 1e-6,
};

describe("the first worker", () => {
  test("takes the first engine that it is given, and says which", async () => {
    const embedder = open({});
    expect(embedder.engine()).toBeUndefined();
    await embedder.ready;
    expect(embedder.engine()).toBe("simd");
    expect(story()).toEqual(["simd is ready"]);
  });

  test("leaves a model with an operator that simd lacks to onnxruntime-web, and so do the others", async () => {
    const embedder = open({ onnx: writeOnnx(erfGraph), selfCheck: grey }, 2);
    const vector = vectorOf(await embedder.embed(grey.bytes.slice()));
    for (const [index, value] of vector.entries()) expect(value).toBeCloseTo(grey.vector[index]!, 6);
    await expect.poll(() => embedder.state().workers, { timeout: 30_000 }).toBe(2);
    expect(story()).toEqual([
      "simd: ENGINE_UNSUPPORTED, next ort-wasm",
      "ort-wasm is ready",
      "ort-wasm is ready",
    ]);
    expect(events[0]).toMatchObject({
      error: { message: expect.stringContaining('simd: node "erf" (Erf): this operator is not known') },
    });
    expect(threads).toHaveLength(3);
    expect(embedder.engine()).toBe("ort-wasm");
  });

  test("passes over an engine whose vector drifts, whatever that one had made for others", async () => {
    const exact = open({ engine: "ort-wasm", fallbacks: [] });
    const vector = vectorOf(await exact.embed(tiny.selfCheck.bytes.slice()));
    await exact.dispose();
    const off = vectorOf(await open({ fallbacks: [] }).embed(tiny.selfCheck.bytes.slice()));
    await pool?.dispose();
    expect(off, "this test needs engines that differ in a digit").not.toEqual(vector);
    const embedder = open({ selfCheck: { ...tiny.selfCheck, vector, tolerance: 0 } }, 2);
    expect(vectorOf(await embedder.embed(tiny.selfCheck.bytes.slice()))).toEqual(vector);
    await expect.poll(() => embedder.state().workers, { timeout: 30_000 }).toBe(2);
    expect(story()).toEqual(["simd: VECTOR_DRIFT, next ort-wasm", "ort-wasm is ready", "ort-wasm is ready"]);
  });

  test("passes over an engine whose thread ends", async () => {
    const embedder = open({});
    await expect.poll(() => threads.length).toBe(1);
    await threads[0]?.terminate();
    await embedder.ready;
    expect(story()).toEqual(["simd: ENGINE_FAILED, next ort-wasm", "ort-wasm is ready"]);
    expect(embedder.engine()).toBe("ort-wasm");
  });

  test("has no other to take where the last one fails", async () => {
    const vector = tiny.selfCheck.vector.map((value) => -value);
    const embedder = open({ selfCheck: { ...tiny.selfCheck, vector } });
    await expect(embedder.ready).rejects.toMatchObject({ reason: "VECTOR_DRIFT" });
    expect(story()).toEqual(["simd: VECTOR_DRIFT, next ort-wasm"]);
    expect(threads).toHaveLength(2);
    expect(embedder.engine()).toBeUndefined();
  });

  test.each<[string, Partial<WorkerSetup>, object]>([
    [
      "the one that was named",
      { fallbacks: [], onnx: writeOnnx(erfGraph) },
      { reason: "ENGINE_UNSUPPORTED" },
    ],
    ["one with a broken model", { onnx: Uint8Array.of(8, 255) }, { reason: "MODEL_CORRUPT" }],
  ])("does not pass over %s", async (_, setup, error) => {
    await expect(open(setup).ready).rejects.toMatchObject(error);
    expect(story()).toEqual([]);
    expect(threads).toHaveLength(1);
  });

  test("tries no other engine once the pool is closed", async () => {
    const embedder = open({});
    await expect.poll(() => threads.length).toBe(1);
    await embedder.dispose();
    await expect(embedder.ready).rejects.toMatchObject({ reason: expect.any(String) });
    expect(story()).toEqual([]);
    expect(threads).toHaveLength(1);
  });
});
