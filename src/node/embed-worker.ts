import { parentPort, workerData } from "node:worker_threads";
import { createPipeline, type Pipeline } from "../embed/pipeline.ts";
import { runSelfCheck } from "../embed/self-check.ts";
import type { Engine, EngineName } from "../engine/engine.ts";
import { createOrtWasmEngine } from "../engine/ort-wasm.ts";
import { createSimdEngine } from "../engine/simd/simd-engine.ts";
import { EmbedError } from "../errors.ts";
import { createDecodeImage } from "../image/decode-image.ts";
import { watchWasmMemory } from "./wasm-memory.ts";
import type { EmbedCommand, PlainEmbedResult, WorkerMessage, WorkerSetup } from "./worker-protocol.ts";

/** Entry of a worker thread: one engine, one picture at a time, from encoded bytes to vector. */

const wasmBytes = watchWasmMemory();
const port = parentPort;
if (!port) throw new EmbedError("CONFIG_INVALID", "embed-worker must be started as a worker thread");

function post(message: WorkerMessage, transfer: ArrayBuffer[] = []): void {
  port?.postMessage(message, transfer);
}

/** Each engine with the runtime that this host has for it; a runtime is loaded for its own engine only. */
const engines: Readonly<Record<EngineName, (setup: WorkerSetup) => Engine | Promise<Engine>>> = {
  async "ort-wasm"({ threads }) {
    const ort = await import("onnxruntime-web");
    ort.env.wasm.numThreads = threads;
    return createOrtWasmEngine(ort);
  },
  simd: ({ kernels }) => createSimdEngine(kernels),
};

async function openPipeline(setup: WorkerSetup): Promise<Pipeline> {
  const engine = await engines[setup.engine](setup);
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
  const setup = workerData as WorkerSetup;
  const pipeline = await openPipeline(setup);
  const maxAbsError = await runSelfCheck(pipeline, setup.selfCheck);
  port.on("message", (command: EmbedCommand) => void embedOne(pipeline, command));
  post({ kind: "ready", maxAbsError });
} catch (error) {
  post({ kind: "failed", error: EmbedError.from(error, "ENGINE_FAILED", String(error)).toPlain() });
}
