import type { EmbedResult } from "../embed/embedder.ts";
import { abortError } from "../embed/settle-before.ts";
import type { EngineName } from "../engine/engine.ts";
import { isEnginesFault } from "../engine/engine-order.ts";
import { EmbedError } from "../errors.ts";
import { createPictureLine, type Picture } from "./picture-line.ts";
import { type RunningWorker, runWorker, type WorkerNews } from "./running-worker.ts";
import type { WorkerEmbedder, WorkerEmbedderOptions } from "./worker-embedder-options.ts";
import { batchMax, defaultWorkerLimits, startAttemptsMax } from "./worker-limits.ts";
import type { PlainEmbedResult, WorkerReady } from "./worker-messages.ts";

/**
 * The `Embedder` of a page: pictures in line before one Web Worker. If the worker is lost, another one takes its place: the
 * pictures that it held are tried again once, each alone, and all others just wait. An engine is restarted, except for
 * `ort-webgpu` where another one is left: it has tried another device by itself before it fails.
 */
export function startWorkerEmbedder(options: WorkerEmbedderOptions): WorkerEmbedder {
  const limits = { ...defaultWorkerLimits, ...options };
  const emit = options.onEvent ?? (() => undefined);
  const opened = Promise.withResolvers<void>();
  const line = createPictureLine();
  /** The first is tried or runs. */
  let engines = options.setup.engines;
  let worker: RunningWorker | undefined;
  let ready: WorkerReady | undefined;
  let lastReady: WorkerReady | undefined;
  let isStarting = false;
  let failedStarts = 0;
  /** What the worker works on. */
  let current: readonly Picture[] = [];
  let closedBy: EmbedError | undefined;

  function next(): void {
    if (closedBy || current.length > 0 || line.size === 0) return;
    if (!worker) void start();
    else if (ready) {
      current = line.take(mostAtOnce());
      worker.embed(current.map(({ bytes }) => bytes));
    }
  }

  const mostAtOnce = () => (lastReady?.engine === "ort-webgpu" ? batchMax : 1);

  async function start(): Promise<void> {
    if (isStarting) return;
    isStarting = true;
    try {
      const onnx = await options.readModel();
      if (closedBy) return;
      worker = runWorker(options.startWorker(), { ...options.setup, engines }, onnx, limits, {
        onMessage,
        onLost,
      });
    } catch (error) {
      failStart(EmbedError.from(error, "ENGINE_FAILED", `no Web Worker can be started: ${String(error)}`));
    } finally {
      isStarting = false;
      next();
    }
  }

  function onMessage(message: WorkerNews): void {
    if (message.kind === "ready") {
      ready = message;
      lastReady = message;
      failedStarts = 0;
      const { engine, adapter } = message;
      emit({ kind: "engine-ready", engine, adapter });
      opened.resolve();
    } else if (message.kind === "results") takeResults(message.results);
    else {
      const error = EmbedError.fromPlain(message.error);
      if (message.kind === "passed-over") passOver(error);
      else if (message.kind === "device-replaced") emit({ kind: "device-replaced", error });
      else {
        dropWorker();
        failStart(error);
      }
    }
    next();
  }

  function takeResults(results: readonly PlainEmbedResult[]): void {
    const failed: Picture[] = [];
    let failure: EmbedError | undefined;
    for (const [index, picture] of current.entries()) {
      const plain = results[index] as PlainEmbedResult;
      const result: EmbedResult = plain.ok ? plain : { ok: false, error: EmbedError.fromPlain(plain.error) };
      if (result.ok || result.error.reason !== "ENGINE_FAILED") picture.settle(result);
      else {
        failed.push(picture);
        failure = result.error;
      }
    }
    current = failed;
    // Whatever state the engine is in now: another worker has a fresh one.
    if (failure) onLost(failure);
  }

  function onLost(error: EmbedError): void {
    const isRunning = ready !== undefined;
    const pictures = current;
    current = [];
    dropWorker();
    if (isRunning) {
      emit({ kind: "worker-lost", error });
      const isAlone = pictures.length === 1;
      for (const picture of pictures) {
        // A picture that is too slow by itself is so again.
        const mayRetry = !isAlone || error.reason === "ENGINE_FAILED";
        if (!mayRetry || !line.retry(picture)) picture.settle({ ok: false, error });
      }
      if (engines[0] === "ort-webgpu" && engines.length > 1 && isEnginesFault(error)) passOver(error);
    } else if (engines.length > 1) {
      passOver(error);
      if (!lastReady) void start();
    } else failStart(error);
    next();
  }

  function dropWorker(): void {
    worker?.end();
    worker = undefined;
    ready = undefined;
  }

  function passOver(error: EmbedError): void {
    const [engine, ...others] = engines;
    engines = others;
    emit({ kind: "engine-passed-over", engine: engine as EngineName, error });
  }

  /** The first worker must start. A later one gets some chances; then those who wait are told, and it is tried again for the next. */
  function failStart(error: EmbedError): void {
    if (!lastReady) close(error);
    else if (++failedStarts >= startAttemptsMax) {
      failedStarts = 0;
      line.failAll(error);
    }
  }

  function close(error: EmbedError): void {
    if (closedBy) return;
    closedBy = error;
    dropWorker();
    opened.reject(error);
    for (const picture of current) picture.settle({ ok: false, error });
    current = [];
    line.failAll(error);
  }

  // Whoever awaits it sees the rejection; callers get it as the result of their pictures.
  opened.promise.catch(() => undefined);
  void start();

  return {
    get concurrency() {
      return mostAtOnce();
    },
    running: () => lastReady,
    ready: opened.promise,
    isReady: () => ready !== undefined,
    embed(bytes, { signal } = {}) {
      return new Promise((resolve) => {
        const refusal = closedBy ?? (signal?.aborted ? abortError(signal) : undefined);
        if (refusal) {
          resolve({ ok: false, error: refusal });
          return;
        }
        const picture: Picture = {
          bytes,
          settle(result) {
            signal?.removeEventListener("abort", onAbort);
            resolve(result);
          },
        };
        // A picture that the worker holds is worked on to its end, but its caller is told at once.
        const onAbort = () => {
          line.leave(picture);
          picture.settle({ ok: false, error: abortError(signal as AbortSignal) });
        };
        signal?.addEventListener("abort", onAbort);
        line.add(picture);
        next();
      });
    },
    async dispose() {
      close(new EmbedError("SHUTTING_DOWN", "the embedder is disposed of"));
    },
  };
}
