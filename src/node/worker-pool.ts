import type { Embedder, EmbedOptions, EmbedResult } from "../embed/embedder.ts";
import { EmbedError } from "../errors.ts";
import { createJobQueue, type Job, type QueueLimits, type QueueState } from "./job-queue.ts";
import { type PooledWorker, startWorker } from "./pooled-worker.ts";
import type { WorkerSetup } from "./worker-protocol.ts";

export interface WorkerPoolOptions {
  /** Number of worker threads, at least 1. */
  readonly workers: number;
  /** Called once; the pool takes work before it resolves, and holds it. */
  readonly loadSetup: () => Promise<WorkerSetup>;
  /** Longest time one picture may take inside a worker before the worker is replaced. */
  readonly itemTimeoutMs: number;
  readonly queue: QueueLimits;
  readonly onEvent?: (event: PoolEvent) => void;
}

export type PoolEvent =
  | { readonly kind: "ready-changed"; readonly ready: boolean }
  | { readonly kind: "worker-ready"; readonly startMs: number; readonly maxAbsError: number }
  | { readonly kind: "worker-lost"; readonly error: EmbedError; readonly restartInMs: number };

/** What waits and works at this moment. */
export interface PoolState extends QueueState {
  /** Workers that passed their self-check and live. */
  readonly workers: number;
  readonly isReady: boolean;
}

export interface WorkerPool extends Embedder {
  state(): PoolState;
}

/** 30 s: a hundred times what a photograph takes. */
export const defaultItemTimeoutMs = 30_000;

/** A worker that died is started again after this long, doubled for each failure in a row, up to the cap. */
const restartDelayMs = 100;
const restartDelayMaxMs = 10_000;

/**
 * The `Embedder` of a server: a queue of pictures before a fixed number of worker threads, each working on
 * one picture at a time. A worker that dies or hangs is replaced; only the picture it held fails.
 */
export function createWorkerPool(options: WorkerPoolOptions): WorkerPool {
  const idle: PooledWorker[] = [];
  const alive = new Set<PooledWorker>();
  const queue = createJobQueue(options.queue);
  const restarts = new Set<NodeJS.Timeout>();
  const emit = options.onEvent ?? (() => undefined);
  /** Why no work is taken any more: the first worker could not start, or the pool was closed. */
  let closedBy: EmbedError | undefined;
  let wasReady = false;
  let failuresInARow = 0;

  const setup = options.loadSetup();
  const ready = setup.then(openWorker);
  ready.then(openOthers, (error: unknown) => closeWith(EmbedError.from(error)));

  /** One after the other, so that a start slows down no more than one other start. */
  async function openOthers(): Promise<void> {
    const value = await setup;
    for (let count = 1; count < options.workers && !closedBy; count++) await openOrRetry(value);
  }

  async function openWorker(value: WorkerSetup): Promise<void> {
    const startedAt = performance.now();
    const worker = startWorker(value, options.itemTimeoutMs);
    const { maxAbsError } = await worker.ready;
    if (closedBy) return worker.terminate();
    alive.add(worker);
    failuresInARow = 0;
    void worker.lost.then((error) => onLost(worker, value, error));
    emit({ kind: "worker-ready", startMs: performance.now() - startedAt, maxAbsError });
    release(worker);
    noteReadiness();
  }

  /** Never rejects: a worker that cannot start is tried again later. */
  function openOrRetry(value: WorkerSetup): Promise<void> {
    return openWorker(value).catch((error: unknown) => openLater(value, EmbedError.from(error)));
  }

  function openLater(value: WorkerSetup, error: EmbedError): void {
    if (closedBy) return;
    const restartInMs = Math.min(restartDelayMs * 2 ** failuresInARow, restartDelayMaxMs);
    failuresInARow += 1;
    emit({ kind: "worker-lost", error, restartInMs });
    const timer = setTimeout(() => {
      restarts.delete(timer);
      void openOrRetry(value);
    }, restartInMs);
    restarts.add(timer);
  }

  function onLost(worker: PooledWorker, value: WorkerSetup, error: EmbedError): void {
    alive.delete(worker);
    const place = idle.indexOf(worker);
    if (place >= 0) idle.splice(place, 1);
    noteReadiness();
    openLater(value, error);
  }

  function release(worker: PooledWorker): void {
    idle.push(worker);
    dispatch();
  }

  function dispatch(): void {
    while (idle.length > 0) {
      const job = queue.shift();
      if (!job) return;
      void work(idle.pop() as PooledWorker, job);
    }
  }

  async function work(worker: PooledWorker, job: Job): Promise<void> {
    job.resolve(await worker.embed(job.bytes));
    if (alive.has(worker)) release(worker);
  }

  function closeWith(error: EmbedError): void {
    closedBy ??= error;
    queue.failAll(error);
  }

  function isReady(): boolean {
    return alive.size > 0 && !closedBy;
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
    state: () => ({ ...queue.state(), workers: alive.size, isReady: isReady() }),
    embed(bytes: Uint8Array, { signal }: EmbedOptions = {}): Promise<EmbedResult> {
      return new Promise((resolve) => {
        if (closedBy) {
          resolve({ ok: false, error: closedBy });
          return;
        }
        queue.push({ bytes, resolve }, signal);
        dispatch();
      });
    },
    async dispose() {
      closeWith(new EmbedError("SHUTTING_DOWN", "the worker pool is closed"));
      for (const timer of restarts) clearTimeout(timer);
      await Promise.all([...alive].map((worker) => worker.terminate()));
      alive.clear();
      noteReadiness();
    },
  };
}
