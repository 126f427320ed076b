import type { EngineName } from "../../engine/engine.ts";
import type { EmbedError } from "../../errors.ts";
import { type BatchLine, createBatchLine, maxBatchPictures } from "./batch-line.ts";
import type { DecodeCrewOptions } from "./decode-crew.ts";
import type { Job } from "./job-queue.ts";
import type { PooledWorker } from "./pooled-worker.ts";
import type { NextJob, RetryingQueue } from "./retrying-queue.ts";
import type { WorkerCrew } from "./worker-crew.ts";

export interface WorkDispatcherOptions extends Omit<DecodeCrewOptions, "setup"> {
  readonly crew: WorkerCrew;
  /** Pictures that lost their worker go first, and alone, since they may be to blame. */
  readonly queue: RetryingQueue;
  /** Takes batches, see `BatchLine`; every other engine has a picture in each worker, from bytes to vector. */
  readonly batchedEngine: EngineName;
  readonly onBatch: (pictures: number) => void;
  /** The engine failed, or a thread was lost. */
  readonly onFailure: () => void;
}

/** Brings waiting pictures to workers, in the way that suits the engine. */
export interface WorkDispatcher {
  /** To be called whenever a picture came or a worker may have become free. */
  dispatch(): void;
  /** Pictures that keep the workers busy. */
  concurrency(): number;
  /** Whether a kind of thread that it takes was there, and none is left for the moment. */
  isLost(): boolean;
  /** Settles pictures that have left the queues and wait for the engine. */
  failAll(error: EmbedError): void;
  /** What it holds fails with this error. */
  close(error: EmbedError): Promise<void>;
}

export function createWorkDispatcher(options: WorkDispatcherOptions): WorkDispatcher {
  const { crew, queue, batchedEngine } = options;
  /** There while the engine takes batches. */
  let line: BatchLine | undefined;
  let left: Promise<void> | undefined;
  let isClosed = false;

  function followEngine(): void {
    const isBatched = crew.engine() === batchedEngine;
    if (isBatched && !line && !isClosed) {
      line = createBatchLine({ ...options, setup: crew.setup });
    }
    if (line && !isBatched) {
      left = line.leave(queue.putBack);
      line = undefined;
    }
  }

  function dispatch(): void {
    followEngine();
    line?.run();
    while (queue.waiting() > 0) {
      if (line) {
        if (!line.hasRoom()) return;
        const { job, isRetried } = takeNext();
        line.take(job, isRetried);
      } else {
        const worker = crew.take(queue.waiting());
        if (!worker) return;
        const { job, isRetried } = takeNext();
        void work(worker, job, isRetried);
      }
    }
  }

  const takeNext = () => queue.next() as NextJob;

  /** A picture that has lost its worker is worked on by one alone: it may be to blame. */
  async function work(worker: PooledWorker, job: Job, isAlone: boolean): Promise<void> {
    const result = await worker.embed(job.bytes, isAlone ? undefined : crew.helpers());
    const failure = result.ok || result.error.reason !== "ENGINE_FAILED" ? undefined : result.error;
    if (failure) options.onFailure();
    crew.giveBack(worker, failure);
    job.resolve(result);
  }

  return {
    dispatch,
    concurrency: () => (line ? Math.max(maxBatchPictures, options.threads) : options.threads),
    isLost: () => line?.isLost() ?? false,
    failAll: (error) => line?.failAll(error),
    async close(error) {
      isClosed = true;
      await Promise.all([line?.close(error), left]);
    },
  };
}
