import { availableParallelism } from "node:os";
import type { Embedder, EmbedOptions, EmbedResult } from "../../embed/embedder.ts";
import { runSelfCheck } from "../../embed/self-check.ts";
import { abortError } from "../../embed/settle-before.ts";
import type { EngineName } from "../../engine/engine.ts";
import { EmbedError } from "../../errors.ts";
import { createRecentSuccess, defaultRecentSuccessLimits } from "../observe/recent-success.ts";
import { workerBytes } from "./default-workers.ts";
import { createJobQueue, type Job, type QueueState } from "./job-queue.ts";
import { createWorkDispatcher } from "./work-dispatcher.ts";
import { type CrewEvent, createWorkerCrew } from "./worker-crew.ts";
import { defaultWorkerLimits } from "./worker-limits.ts";
import {
  defaultBatchedEngine,
  defaultNoWorkerMaxMs,
  defaultWorkerMaxMemoryBytes,
  type WorkerPoolOptions,
} from "./worker-pool-options.ts";

export type PoolEvent =
  | CrewEvent
  | { readonly kind: "ready-changed"; readonly ready: boolean }
  /** An engine that takes several pictures at once begins with so many. */
  | { readonly kind: "batch-begun"; readonly pictures: number };

/** What waits and works at this moment. */
export interface PoolState extends QueueState {
  /** Workers that passed their self-check and live. */
  readonly workers: number;
  /** How often a worker without work was sent to help with the picture of another since the start. */
  readonly helps: number;
  readonly isReady: boolean;
}

export interface WorkerPool extends Embedder {
  state(): PoolState;
  /** What computes; undefined until the first worker has passed its self-check. */
  engine(): EngineName | undefined;
  /** Memory of all its workers, those to come too, in bytes; 0 before the first has passed its self-check. */
  memoryBytes(): number;
}

/**
 * A picture is tried again once if its worker ended or its engine failed: often another one is to blame. A
 * picture that ends workers takes down its own, those that helped, and one more at most.
 */
const retries = 1;

/** 32 MiB: what a worker takes beside its WebAssembly memory, for V8's heap and code, and the picture in its hands. */
export const threadBytes = 32 * 2 ** 20;

/** How often the clock is looked at: whether work stalls, and whether an engine that failed works again. */
const watchIntervalMs = 1_000;

/**
 * The `Embedder` of a server: a queue of pictures before a fixed number of worker threads, each working on
 * one picture at a time, or decoding it for the one worker of a GPU. A worker that dies, hangs or grows too much is
 * replaced; at most the picture it held fails. Ready as long as a worker lives and pictures come back as vectors.
 */
export function createWorkerPool(options: WorkerPoolOptions): WorkerPool {
  const { noWorkerMaxMs = defaultNoWorkerMaxMs } = options;
  const queue = createJobQueue(options.queue);
  /** Pictures that lost their worker: they have waited already. */
  const retryQueue = createJobQueue({ maxItems: Infinity, maxBytes: Infinity });
  const emit = options.onEvent ?? (() => undefined);
  const recent = createRecentSuccess(options.recentSuccess ?? defaultRecentSuccessLimits, () =>
    performance.now(),
  );
  /** Why no work is taken any more: the first worker could not start, or the pool was closed. */
  let closedBy: EmbedError | undefined;
  let wasReady = false;
  let isProbing = false;
  let dispatcherEnd: Promise<void> | undefined;
  /** When the last worker was lost; undefined while one lives and before the first. */
  let noWorkerSince: number | undefined;

  const limits = { ...defaultWorkerLimits, ...options };
  const maxWasmBytes = options.workerMaxMemoryBytes ?? defaultWorkerMaxMemoryBytes;
  const batchedEngine = options.batchedEngine ?? defaultBatchedEngine;
  const crew = createWorkerCrew({
    workers: options.workers,
    batchedEngine,
    loadSetup: options.loadSetup,
    limits,
    maxWasmBytes,
    gangThreads: options.gangThreads ?? availableParallelism(),
    hasRoom: options.hasRoom ?? (() => process.availableMemory() > workerBytes),
    onEvent: emit,
    onChange: followWorkers,
  });
  const { dispatch, ...dispatcher } = createWorkDispatcher({
    ...{ crew, queue, retryQueue, batchedEngine, limits, maxWasmBytes, threads: options.workers },
    onEvent: emit,
    onChange: followWorkers,
    onBatch: (pictures) => emit({ kind: "batch-begun", pictures }),
    onFailure: recent.noteFailure,
  });
  const ready = crew.ready.catch((error: unknown) => {
    closeWith(EmbedError.from(error));
    throw closedBy;
  });
  // Whoever awaits it sees the rejection; callers get it as the result of their pictures.
  ready.catch(() => undefined);
  const watch = setInterval(() => {
    noteReadiness();
    failOrphans();
    void probe();
  }, watchIntervalMs).unref();

  function followWorkers(): void {
    dispatch();
    noWorkerSince = isManned() ? undefined : (noWorkerSince ?? performance.now());
    noteReadiness();
  }

  /** A server that nobody calls, since it is not ready, would never succeed again: it calls itself. */
  async function probe(): Promise<void> {
    if (isReady() || closedBy || isProbing || crew.size() === 0) return;
    isProbing = true;
    const { selfCheck, engine } = await crew.setup;
    const viaWorker = (bytes: Uint8Array) =>
      new Promise<EmbedResult>((resolve) => {
        retryQueue.push({ bytes, resolve });
        dispatch();
      });
    // A failure has been noted by `work`, and its worker is being replaced.
    await runSelfCheck(viaWorker, selfCheck, engine).then(noteSuccess, () => undefined);
    isProbing = false;
  }

  function enqueue(bytes: Uint8Array, { signal }: EmbedOptions, settle: (result: EmbedResult) => void): void {
    const attempt = (triesLeft: number): Job => ({
      bytes,
      signal,
      resolve(result) {
        if (result.ok) noteSuccess();
        const isLost = !result.ok && result.error.reason === "ENGINE_FAILED";
        if (isLost && closedBy) settle({ ok: false, error: closedBy });
        else if (isLost && triesLeft > 0) {
          retryQueue.push(attempt(triesLeft - 1));
          dispatch();
        } else settle(result);
      },
    });
    queue.push(attempt(retries));
    dispatch();
  }

  function failOrphans(): void {
    if (noWorkerSince === undefined || performance.now() - noWorkerSince < noWorkerMaxMs) return;
    const message = `no worker has lived for ${noWorkerMaxMs / 1_000} s; they are being started, try again later`;
    for (const waiting of [queue, retryQueue, dispatcher])
      waiting.failAll(new EmbedError("NOT_READY", message));
  }

  function closeWith(error: EmbedError): void {
    closedBy ??= error;
    clearInterval(watch);
    queue.failAll(closedBy);
    retryQueue.failAll(closedBy);
    dispatcherEnd = dispatcher.close(closedBy);
  }

  const isManned = () => crew.size() > 0 && !dispatcher.isLost();

  function isReady(): boolean {
    return isManned() && !closedBy && recent.isTrusted(queue.state().oldestMs);
  }

  function noteSuccess(): void {
    recent.noteSuccess();
    noteReadiness();
  }

  function noteReadiness(): void {
    const now = isReady();
    if (now === wasReady) return;
    wasReady = now;
    emit({ kind: "ready-changed", ready: now });
  }

  return {
    get concurrency() {
      return dispatcher.concurrency();
    },
    ready,
    isReady,
    engine: crew.engine,
    memoryBytes: () => (crew.engine() === undefined ? 0 : crew.wasmBytes() + crew.wanted() * threadBytes),
    state: () => ({ ...queue.state(), workers: crew.size(), helps: crew.helps(), isReady: isReady() }),
    embed(bytes: Uint8Array, embedOptions: EmbedOptions = {}): Promise<EmbedResult> {
      return new Promise((resolve) => {
        if (closedBy) {
          resolve({ ok: false, error: closedBy });
          return;
        }
        const { signal } = embedOptions;
        // The picture that a worker holds is worked on to its end, but its caller is told at once.
        const onAbort = () => settle({ ok: false, error: abortError(signal as AbortSignal) });
        const settle = (result: EmbedResult) => {
          signal?.removeEventListener("abort", onAbort);
          resolve(result);
        };
        signal?.addEventListener("abort", onAbort);
        enqueue(bytes, embedOptions, settle);
      });
    },
    async dispose() {
      closeWith(new EmbedError("SHUTTING_DOWN", "the worker pool is closed"));
      await Promise.all([crew.close(), dispatcherEnd]);
    },
  };
}
