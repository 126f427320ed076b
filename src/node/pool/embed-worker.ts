import { parentPort, workerData } from "node:worker_threads";
import { createPipeline, type Pipeline } from "../../embed/pipeline.ts";
import { runSelfCheck } from "../../embed/self-check.ts";
import type { PackedModel } from "../../engine/simd/packed-model.ts";
import { EmbedError } from "../../errors.ts";
import { createDecodeImage } from "../../image/decode-image.ts";
import { watchWasmMemory } from "./wasm-memory.ts";
import { workerEngines } from "./worker-engines.ts";
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

async function openPipeline(setup: WorkerStart): Promise<Pipeline> {
  const engine = workerEngines[setup.engine](setup, {
    seat: setup.seat,
    packed: setup.packed,
    onPacked(model) {
      packed = model;
    },
  });
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
