import type { Embedder, EmbedResult } from "../embed/embedder.ts";
import { abortError } from "../embed/settle-before.ts";
import type { EngineName } from "../engine/engine.ts";
import { EmbedError } from "../errors.ts";
import type { WorkerCommand, WorkerMessage, WorkerSetup } from "./worker-messages.ts";

export interface WorkerEmbedder extends Embedder {
  /** What passed the self-check; rejects if nothing did. */
  readonly engine: Promise<EngineName>;
}

/** One picture that waits or is worked on. */
interface Job {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Only the first call counts. */
  readonly settle: (result: EmbedResult) => void;
}

/**
 * The `Embedder` of a page: a queue of pictures before one Web Worker. A worker that is lost is not replaced: its model
 * is gone, so every picture from then on fails with `ENGINE_FAILED`, and the page opens another embedder.
 * @param onnx is transferred to the worker
 */
export function startWorkerEmbedder(
  worker: Worker,
  setup: WorkerSetup,
  onnx: Uint8Array<ArrayBuffer>,
  onPassedOver: (engine: EngineName, error: EmbedError) => void = () => undefined,
): WorkerEmbedder {
  const opened = Promise.withResolvers<EngineName>();
  const waiting = new Set<Job>();
  let current: Job | undefined;
  let isReady = false;
  let closedBy: EmbedError | undefined;

  function post(command: WorkerCommand, transfer: ArrayBuffer): void {
    worker.postMessage(command, [transfer]);
  }

  function next(): void {
    const [job] = waiting;
    if (current || !isReady || !job) return;
    waiting.delete(job);
    current = job;
    post({ kind: "embed", bytes: job.bytes }, job.bytes.buffer);
  }

  function close(error: EmbedError): void {
    if (closedBy) return;
    closedBy = error;
    isReady = false;
    worker.terminate();
    opened.reject(error);
    for (const job of [...(current ? [current] : []), ...waiting]) job.settle({ ok: false, error });
    waiting.clear();
    current = undefined;
  }

  worker.onmessage = ({ data }: MessageEvent<WorkerMessage>) => {
    if (data.kind === "failed") close(EmbedError.fromPlain(data.error));
    else if (data.kind === "passed-over") onPassedOver(data.engine, EmbedError.fromPlain(data.error));
    else if (data.kind === "ready") {
      isReady = true;
      opened.resolve(data.engine);
      next();
    } else {
      const { result } = data;
      current?.settle(result.ok ? result : { ok: false, error: EmbedError.fromPlain(result.error) });
      current = undefined;
      next();
    }
  };
  worker.onerror = (event) => {
    event.preventDefault();
    const why = event.message || "its script cannot be loaded";
    close(new EmbedError("ENGINE_FAILED", `the Web Worker was lost: ${why}; open another embedder`));
  };
  // Whoever awaits it sees the rejection; callers get it as the result of their pictures.
  opened.promise.catch(() => undefined);
  post({ kind: "start", setup, onnx }, onnx.buffer);

  return {
    concurrency: 1,
    engine: opened.promise,
    ready: opened.promise.then(() => undefined),
    isReady: () => isReady,
    embed(bytes, { signal } = {}) {
      return new Promise((resolve) => {
        const refusal = closedBy ?? (signal?.aborted ? abortError(signal) : undefined);
        if (refusal) {
          resolve({ ok: false, error: refusal });
          return;
        }
        const job: Job = {
          bytes: bytes as Uint8Array<ArrayBuffer>,
          settle(result) {
            signal?.removeEventListener("abort", onAbort);
            resolve(result);
          },
        };
        // The picture that the worker holds is worked on to its end, but its caller is told at once.
        const onAbort = () => {
          waiting.delete(job);
          job.settle({ ok: false, error: abortError(signal as AbortSignal) });
        };
        signal?.addEventListener("abort", onAbort);
        waiting.add(job);
        next();
      });
    },
    async dispose() {
      close(new EmbedError("SHUTTING_DOWN", "the embedder is disposed of"));
    },
  };
}
