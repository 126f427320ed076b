import { availableParallelism } from "node:os";
import type { Embedder, EmbedOptions, EmbedResult } from "../../embed/embedder.ts";
import { runSelfCheck } from "../../embed/self-check.ts";
import { abortError } from "../../embed/settle-before.ts";
import type { EngineName } from "../../engine/engine.ts";
import { EmbedError } from "../../errors.ts";
import { createRecentSuccess, defaultRecentSuccessLimits } from "../observe/recent-success.ts";
import { workerBytes } from "./default-workers.ts";
import { createJobQueue, type Job, type QueueState } from "./job-queue.ts";
import { defaultWorkerLimits, type PooledWorker } from "./pooled-worker.ts";
import { type CrewEvent, createWorkerCrew } from "./worker-crew.ts";
import {
  defaultNoWorkerMaxMs,
  defaultWorkerMaxMemoryBytes,
  type WorkerPoolOptions,
} from "./worker-pool-options.ts";

export type PoolEvent = CrewEvent | { readonly kind: "ready-changed"; readonly ready: boolean };

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
}

/**
 * A picture is tried again once if its worker ended or its engine failed: often another one is to blame. A
 * picture that ends workers takes down its own, those that helped, and one more at most.
 */
const retries = 1;

/** How often the clock is looked at: whether work stalls, and whether an engine that failed works again. */
const watchIntervalMs = 1_000;

/**
 * The `Embedder` of a server: a queue of pictures before a fixed number of worker threads, each working on
 * one picture at a time. A worker that dies, hangs or grows too much is replaced; at most the picture it held
 * fails. Ready as long as a worker lives and pictures come back as vectors.
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
  /** When the last worker was lost; undefined while one lives and before the first. */
  let noWorkerSince: number | undefined;

  const crew = createWorkerCrew({
    workers: options.workers,
    loadSetup: options.loadSetup,
    limits: { ...defaultWorkerLimits, ...options },
    maxWasmBytes: options.workerMaxMemoryBytes ?? defaultWorkerMaxMemoryBytes,
    gangThreads: options.gangThreads ?? availableParallelism(),
    hasRoom: options.hasRoom ?? (() => process.availableMemory() > workerBytes),
    onEvent: emit,
    onChange() {
      noWorkerSince = crew.size() > 0 ? undefined : (noWorkerSince ?? performance.now());
      dispatch();
      noteReadiness();
    },
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

  function dispatch(): void {
    while (retryQueue.state().queuedItems + queue.state().queuedItems > 0) {
      const retried = retryQueue.state().queuedItems;
      const worker = crew.take(retried + queue.state().queuedItems);
      if (!worker) return;
      void work(worker, (retryQueue.shift() ?? queue.shift()) as Job, retried > 0);
    }
  }

  /** A picture that has lost its worker is worked on by one alone: it may be to blame. */
  async function work(worker: PooledWorker, job: Job, isAlone: boolean): Promise<void> {
    const result = await worker.embed(job.bytes, isAlone ? undefined : crew.helpers());
    const failure = result.ok || result.error.reason !== "ENGINE_FAILED" ? undefined : result.error;
    if (failure) recent.noteFailure();
    crew.giveBack(worker, failure);
    job.resolve(result);
  }

  /** A server that nobody calls, since it is not ready, would never succeed again: it calls itself. */
  async function probe(): Promise<void> {
    if (isReady() || closedBy || isProbing || crew.size() === 0) return;
    isProbing = true;
    const { selfCheck, engine } = await crew.setup;
    const viaWorker = (bytes: Uint8Array) =>
      new Promise<EmbedResult>((resolve) => {
        retryQueue.push({ bytes, resolve }, undefined);
        dispatch();
      });
    // A failure has been noted by `work`, and its worker is being replaced.
    await runSelfCheck(viaWorker, selfCheck, engine).then(noteSuccess, () => undefined);
    isProbing = false;
  }

  function enqueue(bytes: Uint8Array, { signal }: EmbedOptions, settle: (result: EmbedResult) => void): void {
    const attempt = (triesLeft: number): Job => ({
      bytes,
      resolve(result) {
        if (result.ok) noteSuccess();
        const isLost = !result.ok && result.error.reason === "ENGINE_FAILED";
        if (isLost && closedBy) settle({ ok: false, error: closedBy });
        else if (isLost && triesLeft > 0) {
          retryQueue.push(attempt(triesLeft - 1), signal);
          dispatch();
        } else settle(result);
      },
    });
    queue.push(attempt(retries), signal);
    dispatch();
  }

  function failOrphans(): void {
    if (noWorkerSince === undefined || performance.now() - noWorkerSince < noWorkerMaxMs) return;
    const message = `no worker has lived for ${noWorkerMaxMs / 1_000} s; they are being started, try again later`;
    for (const waiting of [queue, retryQueue]) waiting.failAll(new EmbedError("NOT_READY", message));
  }

  function closeWith(error: EmbedError): void {
    closedBy ??= error;
    clearInterval(watch);
    queue.failAll(closedBy);
    retryQueue.failAll(closedBy);
  }

  function isReady(): boolean {
    return crew.size() > 0 && !closedBy && recent.isTrusted(queue.state().oldestMs);
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
    concurrency: options.workers,
    ready,
    isReady,
    engine: crew.engine,
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
      await crew.close();
    },
  };
}
