import { parentPort, workerData } from "node:worker_threads";
import * as ort from "onnxruntime-web";
import { createPipeline, type Pipeline } from "../../embed/pipeline.ts";
import { runSelfCheck } from "../../embed/self-check.ts";
import type { Engine, EngineName } from "../../engine/engine.ts";
import { createOrtWasmEngine } from "../../engine/ort-wasm.ts";
import type { PackedModel } from "../../engine/simd/packed-model.ts";
import { createSimdEngine } from "../../engine/simd/simd-engine.ts";
import { EmbedError } from "../../errors.ts";
import { createDecodeImage } from "../../image/decode-image.ts";
import { watchWasmMemory } from "./wasm-memory.ts";
import type { EmbedCommand, PlainEmbedResult, WorkerMessage, WorkerStart } from "./worker-protocol.ts";

/** Entry of a worker thread: one engine, one picture at a time, from encoded bytes to vector. */

const wasmBytes = watchWasmMemory();
const port = parentPort;
if (!port) throw new EmbedError("CONFIG_INVALID", "embed-worker must be started as a worker thread");

function post(message: WorkerMessage, transfer: ArrayBuffer[] = []): void {
  port?.postMessage(message, transfer);
}

/** For the workers that come after this one. */
let packed: PackedModel | undefined;

/**
 * Each engine with the runtime that this host has for it. Runtimes are not imported on demand: a thread that was ended in
 * the middle of such an import was seen to take the process with it (SIGSEGV, Node 24.21).
 */
const engines: Readonly<Record<EngineName, (setup: WorkerStart) => Engine>> = {
  "ort-wasm"({ threads }) {
    ort.env.wasm.numThreads = threads;
    return createOrtWasmEngine(ort);
  },
  simd: ({ kernels, seat, packed: given }) =>
    createSimdEngine(kernels, {
      seat,
      packed: given,
      onPacked(model) {
        packed = model;
      },
    }),
};

async function openPipeline(setup: WorkerStart): Promise<Pipeline> {
  const engine = engines[setup.engine](setup);
  return createPipeline({
    decode: createDecodeImage(setup.codecs, setup.limits),
    preprocess: setup.preprocess,
    session: await engine.load(setup.onnx),
    now: () => performance.now(),
  });
}

async function embedOne(pipeline: Pipeline, { id, bytes }: EmbedCommand): Promise<void> {
  const result = await pipeline(bytes);
  if (result.ok) {
    post({ kind: "result", id, result, wasmBytes: wasmBytes() }, [result.vector.buffer as ArrayBuffer]);
    return;
  }
  const plain: PlainEmbedResult = { ok: false, error: result.error.toPlain() };
  post({ kind: "result", id, result: plain, wasmBytes: wasmBytes() });
}

try {
  const setup = workerData as WorkerStart;
  const pipeline = await openPipeline(setup);
  // The engine has it; a hundred megabytes would stay for as long as this thread.
  Object.assign(setup, { onnx: new Uint8Array(0) });
  const maxAbsError = await runSelfCheck(pipeline, setup.selfCheck);
  port.on("message", (command: EmbedCommand) => void embedOne(pipeline, command));
  post({ kind: "ready", maxAbsError, ...(packed && { packed }) });
} catch (error) {
  post({ kind: "failed", error: EmbedError.from(error, "ENGINE_FAILED", String(error)).toPlain() });
}
