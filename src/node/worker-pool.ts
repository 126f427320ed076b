import type { Embedder, EmbedOptions, EmbedResult } from "../embed/embedder.ts";
import { abortError } from "../embed/settle-before.ts";
import { EmbedError } from "../errors.ts";
import { type PooledWorker, startWorker } from "./pooled-worker.ts";
import type { WorkerSetup } from "./worker-protocol.ts";

export interface WorkerPoolOptions {
  /** Number of worker threads, at least 1. */
  readonly workers: number;
  /** Called once; the pool takes work before it resolves, and holds it. */
  readonly loadSetup: () => Promise<WorkerSetup>;
  /** Longest time one picture may take inside a worker before the worker is replaced. */
  readonly itemTimeoutMs: number;
  readonly onEvent?: (event: PoolEvent) => void;
}

export type PoolEvent =
  | { readonly kind: "ready-changed"; readonly ready: boolean }
  | { readonly kind: "worker-ready"; readonly startMs: number; readonly maxAbsError: number }
  | { readonly kind: "worker-lost"; readonly error: EmbedError; readonly restartInMs: number };

/** 30 s: a hundred times what a photograph takes. */
export const defaultItemTimeoutMs = 30_000;

/** A worker that died is started again after this long, doubled for each failure in a row, up to the cap. */
const restartDelayMs = 100;
const restartDelayMaxMs = 10_000;

interface Job {
  readonly bytes: Uint8Array;
  readonly resolve: (result: EmbedResult) => void;
  readonly signal: AbortSignal | undefined;
}

/**
 * The `Embedder` of a server: a queue of pictures before a fixed number of worker threads, each working on
 * one picture at a time. A worker that dies or hangs is replaced; only the picture it held fails.
 */
export function createWorkerPool(options: WorkerPoolOptions): Embedder {
  const idle: PooledWorker[] = [];
  const alive = new Set<PooledWorker>();
  const queue: Job[] = [];
  const restarts = new Set<NodeJS.Timeout>();
  const emit = options.onEvent ?? (() => undefined);
  let disposed = false;
  let wasReady = false;
  let failuresInARow = 0;

  const setup = options.loadSetup();
  const first = setup.then((value) => openWorker(value));
  const ready = first.then(() => undefined);
  // Whoever awaits it sees the failure; the pool itself tells every picture in its queue.
  ready.catch(() => undefined);
  first.then(
    async () => {
      // The others start only now, so that they do not slow the first one down.
      const value = await setup;
      for (let count = 1; count < options.workers; count++) replaceWorker(value, 0);
    },
    (error: unknown) => failQueue(EmbedError.from(error)),
  );

  async function openWorker(value: WorkerSetup): Promise<void> {
    const startedAt = performance.now();
    const worker = startWorker(value, options.itemTimeoutMs);
    const { maxAbsError } = await worker.ready;
    if (disposed) return worker.terminate();
    alive.add(worker);
    failuresInARow = 0;
    void worker.lost.then((error) => onLost(worker, value, error));
    emit({ kind: "worker-ready", startMs: performance.now() - startedAt, maxAbsError });
    release(worker);
    noteReadiness();
  }

  function onLost(worker: PooledWorker, value: WorkerSetup, error: EmbedError): void {
    alive.delete(worker);
    const place = idle.indexOf(worker);
    if (place >= 0) idle.splice(place, 1);
    noteReadiness();
    replaceAfterFailure(value, error);
  }

  function replaceAfterFailure(value: WorkerSetup, error: EmbedError): void {
    if (disposed) return;
    const restartInMs = Math.min(restartDelayMs * 2 ** failuresInARow, restartDelayMaxMs);
    failuresInARow += 1;
    emit({ kind: "worker-lost", error, restartInMs });
    replaceWorker(value, restartInMs);
  }

  function replaceWorker(value: WorkerSetup, delayMs: number): void {
    const timer = setTimeout(() => {
      restarts.delete(timer);
      openWorker(value).catch((error: unknown) => replaceAfterFailure(value, EmbedError.from(error)));
    }, delayMs);
    restarts.add(timer);
  }

  function release(worker: PooledWorker): void {
    idle.push(worker);
    dispatch();
  }

  function dispatch(): void {
    while (idle.length > 0 && queue.length > 0) {
      const job = queue.shift() as Job;
      if (job.signal?.aborted) {
        job.resolve({ ok: false, error: abortError(job.signal) });
        continue;
      }
      const worker = idle.pop() as PooledWorker;
      void worker.embed(job.bytes).then((result) => {
        job.resolve(result);
        if (alive.has(worker)) release(worker);
      });
    }
  }

  function failQueue(error: EmbedError): void {
    for (const job of queue.splice(0)) job.resolve({ ok: false, error });
  }

  function isReady(): boolean {
    return alive.size > 0 && !disposed;
  }

  function noteReadiness(): void {
    const now = isReady();
    if (now === wasReady) return;
    wasReady = now;
    emit({ kind: "ready-changed", ready: now });
  }

  return {
    ready,
    isReady,
    embed(bytes: Uint8Array, { signal }: EmbedOptions = {}): Promise<EmbedResult> {
      return new Promise((resolve) => {
        if (disposed) {
          resolve({ ok: false, error: new EmbedError("SHUTTING_DOWN", "the worker pool is closed") });
          return;
        }
        queue.push({ bytes, resolve, signal });
        dispatch();
      });
    },
    async dispose() {
      disposed = true;
      for (const timer of restarts) clearTimeout(timer);
      failQueue(new EmbedError("SHUTTING_DOWN", "the worker pool was closed before this picture's turn"));
      await Promise.all([...alive].map((worker) => worker.terminate()));
      alive.clear();
      noteReadiness();
    },
  };
}
