import { createPipeline, type Pipeline } from "../embed/pipeline.ts";
import { runSelfCheck } from "../embed/self-check.ts";
import { isEnginesFault } from "../engine/engine-order.ts";
import { EmbedError } from "../errors.ts";
import { createDecodeImage } from "../image/decode-image.ts";
import { type WebEngineName, webEngines } from "./web-engines.ts";
import type { PlainEmbedResult, WorkerCommand, WorkerMessage, WorkerSetup } from "./worker-messages.ts";

/** Entry of a Web Worker: one engine, one picture at a time, from encoded bytes to vector. */

/** The part of `DedicatedWorkerGlobalScope` that is used: the DOM's types are those of a page. */
interface WorkerScope {
  postMessage(message: WorkerMessage, transfer?: Transferable[]): void;
  onmessage: ((event: MessageEvent<WorkerCommand>) => void) | null;
}

const scope = globalThis as unknown as WorkerScope;
let pipeline: Pipeline | undefined;

scope.onmessage = ({ data }) => void (data.kind === "start" ? start(data) : embedOne(data.bytes));

async function start({ setup, onnx }: Extract<WorkerCommand, { kind: "start" }>): Promise<void> {
  const [first, ...others] = setup.engines as WebEngineName[];
  for (let engine = first; engine !== undefined; engine = others.shift()) {
    try {
      pipeline = await openPipeline(engine, setup, onnx);
      scope.postMessage({ kind: "ready", engine });
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

async function openPipeline(engine: WebEngineName, setup: WorkerSetup, onnx: Uint8Array): Promise<Pipeline> {
  const opened = await webEngines[engine](setup);
  const made = createPipeline({
    decode: createDecodeImage(setup.codecs, setup.limits),
    preprocess: setup.preprocess,
    session: await opened.load(onnx),
    now: () => performance.now(),
  });
  await runSelfCheck(made, setup.selfCheck, engine);
  return made;
}

async function embedOne(bytes: Uint8Array): Promise<void> {
  const result = await (pipeline as Pipeline)(bytes);
  if (result.ok) {
    scope.postMessage({ kind: "result", result }, [result.vector.buffer as ArrayBuffer]);
    return;
  }
  const plain: PlainEmbedResult = { ok: false, error: result.error.toPlain() };
  scope.postMessage({ kind: "result", result: plain });
}
