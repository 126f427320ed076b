import { createEmbedPictures, type EmbedPictures } from "../embed/embed-pictures.ts";
import type { EmbedResult } from "../embed/embedder.ts";
import { createPipeline } from "../embed/pipeline.ts";
import { createPrepareImage } from "../embed/prepare-image.ts";
import { runSelfCheck } from "../embed/self-check.ts";
import { isEnginesFault } from "../engine/engine-order.ts";
import { EmbedError } from "../errors.ts";
import { type WebEngineName, webEngines } from "./web-engines.ts";
import { createWorkerDecode } from "./worker-decoders.ts";
import type { PlainEmbedResult, WorkerCommand, WorkerMessage, WorkerSetup } from "./worker-messages.ts";

/** Entry of a Web Worker: one engine, from encoded bytes to vectors. */

/** The part of `DedicatedWorkerGlobalScope` that is used: the DOM's types are those of a page. */
interface WorkerScope {
  postMessage(message: WorkerMessage, transfer?: Transferable[]): void;
  onmessage: ((event: MessageEvent<WorkerCommand>) => void) | null;
}

const scope = globalThis as unknown as WorkerScope;
let embedPictures: EmbedPictures | undefined;
/** Of the engine `ort-webgpu`. */
let adapter: string | undefined;

scope.onmessage = ({ data }) => void (data.kind === "start" ? start(data) : embed(data.pictures));

async function start({ setup, onnx }: Extract<WorkerCommand, { kind: "start" }>): Promise<void> {
  if (await hold(setup.lock)) scope.postMessage({ kind: "holding" });
  const [first, ...others] = setup.engines as WebEngineName[];
  for (let engine = first; engine !== undefined; engine = others.shift()) {
    try {
      adapter = undefined;
      embedPictures = await open(engine, setup, onnx);
      scope.postMessage({ kind: "ready", engine, adapter });
      return;
    } catch (cause) {
      const error = EmbedError.from(cause, "ENGINE_FAILED", String(cause));
      if (others.length === 0 || !isEnginesFault(error)) {
        scope.postMessage({ kind: "failed", error: error.toPlain() });
        return;
      }
      scope.postMessage({ kind: "passed-over", engine, error: error.toPlain() });
    }
  }
}

/**
 * Takes a lock that ends with this worker: some browsers end one without a word when memory runs out. Where the browser gives
 * no locks, or none to a site that may keep nothing, a lost worker is found by its silence.
 * @returns whether it is held
 */
async function hold(lock: string): Promise<boolean> {
  if (!navigator.locks) return false;
  return await new Promise((resolve) => {
    const held = navigator.locks.request(lock, () => {
      resolve(true);
      return new Promise(() => undefined);
    });
    held.catch(() => resolve(false));
  });
}

async function open(engine: WebEngineName, setup: WorkerSetup, onnx: Uint8Array): Promise<EmbedPictures> {
  const opened = await webEngines[engine](setup, {
    onAdapter(name) {
      adapter = name;
    },
    onDeviceReplaced: (why) => scope.postMessage({ kind: "device-replaced", error: why.toPlain() }),
  });
  const now = () => performance.now();
  const decode = createWorkerDecode(setup.decoders, setup.limits);
  const stages = { decode, preprocess: setup.preprocess, now };
  const session = await opened.load(onnx);
  await runSelfCheck(createPipeline({ ...stages, session }), setup.selfCheck, engine);
  return createEmbedPictures(createPrepareImage(stages), session, now);
}

async function embed(pictures: readonly Uint8Array[]): Promise<void> {
  const results = await (embedPictures as EmbedPictures)(pictures);
  const vectors = results.flatMap((result) => (result.ok ? [result.vector.buffer as ArrayBuffer] : []));
  scope.postMessage({ kind: "results", results: results.map(toPlain) }, vectors);
}

const toPlain = (result: EmbedResult): PlainEmbedResult =>
  result.ok ? result : { ok: false, error: result.error.toPlain() };
