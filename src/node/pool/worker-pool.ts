import { availableParallelism } from "node:os";
import type { Embedder, EmbedOptions, EmbedResult } from "../../embed/embedder.ts";
import { runSelfCheck } from "../../embed/self-check.ts";
import type { EngineName } from "../../engine/engine.ts";
import { EmbedError } from "../../errors.ts";
import { workerBytes } from "./default-workers.ts";
import type { QueueState } from "./job-queue.ts";
import { createPoolReadiness } from "./pool-readiness.ts";
import { createRetryingQueue } from "./retrying-queue.ts";
import { createWorkDispatcher } from "./work-dispatcher.ts";
import { type CrewEvent, createWorkerCrew } from "./worker-crew.ts";
import { defaultWorkerLimits } from "./worker-limits.ts";
import {
  defaultBatchedEngine,
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

/** 32 MiB: what a worker takes beside its WebAssembly memory, for V8's heap and code, and the picture in its hands. */
export const threadBytes = 32 * 2 ** 20;

/**
 * The `Embedder` of a server: a queue of pictures before a fixed number of worker threads, each working on
 * one picture at a time, or decoding it for the one worker of a GPU. A worker that dies, hangs or grows too much is
 * replaced; at most the picture it held fails. Ready as long as a worker lives and pictures come back as vectors.
 */
export function createWorkerPool(options: WorkerPoolOptions): WorkerPool {
  const emit = options.onEvent ?? (() => undefined);
  let isProbing = false;
  let dispatcherEnd: Promise<void> | undefined;

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
  const queue = createRetryingQueue({
    limits: options.queue,
    dispatch: () => dispatch(),
    onSuccess: () => readiness.noteSuccess(),
  });
  const { dispatch, ...dispatcher } = createWorkDispatcher({
    ...{ crew, queue, batchedEngine, limits, maxWasmBytes, threads: options.workers },
    onEvent: emit,
    onChange: followWorkers,
    onBatch: (pictures) => emit({ kind: "batch-begun", pictures }),
    onFailure: () => readiness.noteFailure(),
  });
  const readiness = createPoolReadiness({
    isManned: () => crew.size() > 0 && !dispatcher.isLost(),
    oldestMs: () => queue.state().oldestMs,
    recentSuccess: options.recentSuccess,
    noWorkerMaxMs: options.noWorkerMaxMs,
    onOrphaned(error) {
      queue.failAll(error);
      dispatcher.failAll(error);
    },
    onReadyChanged: (ready) => emit({ kind: "ready-changed", ready }),
    onWatch: () => void probe(),
  });
  const ready = crew.ready.catch((error: unknown) => {
    closeWith(EmbedError.from(error));
    throw queue.closedBy();
  });
  // Whoever awaits it sees the rejection; callers get it as the result of their pictures.
  ready.catch(() => undefined);

  function followWorkers(): void {
    dispatch();
    readiness.noteThreads();
  }

  /** A server that nobody calls, since it is not ready, would never succeed again: it calls itself. */
  async function probe(): Promise<void> {
    if (readiness.isReady() || queue.closedBy() || isProbing || crew.size() === 0) return;
    isProbing = true;
    const { selfCheck, engine } = await crew.setup;
    // A failure has been noted by `work`, and its worker is being replaced.
    await runSelfCheck(queue.addFirst, selfCheck, engine).then(readiness.noteSuccess, () => undefined);
    isProbing = false;
  }

  function closeWith(error: EmbedError): void {
    readiness.close();
    queue.close(error);
    dispatcherEnd = dispatcher.close(queue.closedBy() ?? error);
  }

  return {
    get concurrency() {
      return dispatcher.concurrency();
    },
    ready,
    isReady: readiness.isReady,
    engine: crew.engine,
    memoryBytes: () => (crew.engine() === undefined ? 0 : crew.wasmBytes() + crew.wanted() * threadBytes),
    state: () => ({
      ...queue.state(),
      workers: crew.size(),
      helps: crew.helps(),
      isReady: readiness.isReady(),
    }),
    embed: (bytes: Uint8Array, { signal }: EmbedOptions = {}): Promise<EmbedResult> =>
      queue.add(bytes, signal),
    async dispose() {
      closeWith(new EmbedError("SHUTTING_DOWN", "the worker pool is closed"));
      await Promise.all([crew.close(), dispatcherEnd]);
    },
  };
}
