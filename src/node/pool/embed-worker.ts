import { parentPort, workerData } from "node:worker_threads";
import { embedBatch } from "../../embed/embed-batch.ts";
import type { EmbedResult } from "../../embed/embedder.ts";
import { createPipeline, type Pipeline } from "../../embed/pipeline.ts";
import { runSelfCheck } from "../../embed/self-check.ts";
import type { EngineSession } from "../../engine/engine.ts";
import type { PackedModel } from "../../engine/simd/packed-model.ts";
import type { Gang, SimdSharing } from "../../engine/simd/simd-sharing.ts";
import { EmbedError } from "../../errors.ts";
import { createDecodeImage } from "../../image/decode-image.ts";
import { capWasmMemory } from "../model/cap-wasm-memory.ts";
import { watchWasmMemory } from "./wasm-memory.ts";
import { type GpuReports, workerEngines } from "./worker-engines.ts";
import type {
  EmbedBatchCommand,
  EmbedCommand,
  PlainEmbedResult,
  WorkerCommand,
  WorkerMessage,
  WorkerStart,
} from "./worker-protocol.ts";

/**
 * Entry of a worker thread: one engine; one picture at a time from encoded bytes to vector, or the engine's part of several
 * that other threads have decoded.
 */

const { maxWasmBytes } = workerData as WorkerStart;
if (maxWasmBytes !== undefined) capWasmMemory(maxWasmBytes);
const allWasmBytes = watchWasmMemory();
/** What all workers share is no worker's own, whoever made it. */
const wasmBytes = () => allWasmBytes() - (packed?.memory.buffer.byteLength ?? 0);
const now = () => performance.now();
const port = parentPort;
if (!port) throw new EmbedError("CONFIG_INVALID", "embed-worker must be started as a worker thread");

function post(message: WorkerMessage, transfer: ArrayBuffer[] = []): void {
  port?.postMessage(message, transfer);
}

/** For the workers that come after this one. */
let packed: PackedModel | undefined;
/** Of the engine `ort-webgpu`. */
let adapter: string | undefined;
/** Of the picture that is being worked on; undefined: nobody is to help. */
let helpersToCome: number | undefined;

function createGang(states: SharedArrayBuffer): Gang {
  return {
    states,
    now,
    begin() {
      if (helpersToCome !== undefined) post({ kind: "open" });
      return helpersToCome;
    },
  };
}

async function openSession(setup: WorkerStart): Promise<EngineSession> {
  const sharing: SimdSharing = {
    seat: setup.seat,
    packed: setup.packed,
    onPacked(model) {
      packed = model;
    },
    ...(setup.gangStates && { gang: createGang(setup.gangStates) }),
  };
  const gpu: GpuReports = {
    onAdapter(name) {
      adapter = name;
    },
    onDeviceReplaced: (why) => post({ kind: "device-replaced", error: why.toPlain() }),
  };
  const engine = await workerEngines[setup.engine](setup, sharing, gpu);
  return engine.load(setup.onnx);
}

function postResults(id: number, results: readonly EmbedResult[]): void {
  const plain = results.map(
    (result): PlainEmbedResult => (result.ok ? result : { ok: false, error: result.error.toPlain() }),
  );
  const vectors = results.flatMap((result) => (result.ok ? [result.vector.buffer as ArrayBuffer] : []));
  post({ kind: "result", id, results: plain, wasmBytes: wasmBytes() }, vectors);
}

async function embedOne(pipeline: Pipeline, { id, bytes, helpers }: EmbedCommand): Promise<void> {
  helpersToCome = helpers;
  postResults(id, [await pipeline(bytes)]);
}

async function embedMany(session: EngineSession, { id, images }: EmbedBatchCommand): Promise<void> {
  const results = await embedBatch(session, images, now);
  // 19 MB of a full batch would stay until this thread happens to collect its garbage.
  for (const { tensor } of images) if (tensor.buffer instanceof ArrayBuffer) tensor.buffer.transfer(0);
  postResults(id, results);
}

function helpWith(session: EngineSession, seat: number): void {
  try {
    session.help?.(seat);
    post({ kind: "left" });
  } catch (error) {
    fail(error);
  }
}

function fail(error: unknown): void {
  post({ kind: "failed", error: EmbedError.from(error, "ENGINE_FAILED", String(error)).toPlain() });
}

try {
  const setup = workerData as WorkerStart;
  const session = await openSession(setup);
  const pipeline = createPipeline({
    decode: createDecodeImage(setup.codecs, setup.limits),
    preprocess: setup.preprocess,
    session,
    now,
  });
  // The engine has it; a hundred megabytes would stay until this thread happens to collect its garbage.
  if (setup.onnx.buffer instanceof ArrayBuffer) setup.onnx.buffer.transfer(0);
  Object.assign(setup, { onnx: new Uint8Array(0) });
  const maxAbsError = await runSelfCheck(pipeline, setup.selfCheck, setup.engine);
  port.on("message", (command: WorkerCommand) => {
    if (command.kind === "help") helpWith(session, command.seat);
    else if (command.kind === "embed-batch") void embedMany(session, command);
    else void embedOne(pipeline, command);
  });
  const canHelp = session.help !== undefined;
  const found = { ...(packed && { packed }), ...(adapter && { adapter }) };
  post({ kind: "ready", maxAbsError, canHelp, wasmBytes: wasmBytes(), ...found });
} catch (error) {
  fail(error);
}
