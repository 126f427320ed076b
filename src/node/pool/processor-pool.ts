import type { EmbedOptions } from "../../embed/embedder.ts";
import type { ProcessorLimits } from "../../embed/process-picture.ts";
import type { Processed, ProcessorHost, ProcessResult } from "../../embed/processor.ts";
import { EmbedError } from "../../errors.ts";
import type { Job, QueueLimits } from "./job-queue.ts";
import { loadCodecs } from "./load-codecs.ts";
import { createPoolReadiness } from "./pool-readiness.ts";
import type { ProcessorSource, ProcessorStart } from "./processor-protocol.ts";
import { createRetryingQueue } from "./retrying-queue.ts";
import { createThreadCrew } from "./thread-crew.ts";
import { defaultWorkerLimits, type WorkerLimits } from "./worker-limits.ts";
import type { PoolEvent, PoolState } from "./worker-pool.ts";
import { defaultWorkerMaxMemoryBytes } from "./worker-pool-options.ts";

/** Limits of each worker have the defaults of `defaultWorkerLimits`. */
export interface ProcessorPoolOptions extends Partial<WorkerLimits> {
  readonly source: ProcessorSource;
  /** Number of worker threads, at least 1. */
  readonly workers: number;
  readonly pictures: ProcessorLimits;
  readonly queue: QueueLimits;
  /** A worker whose WebAssembly memory has grown beyond this is replaced. Default: `defaultWorkerMaxMemoryBytes`. */
  readonly workerMaxMemoryBytes?: number;
  /** Longest time without any worker that pictures wait through. Default: `defaultNoWorkerMaxMs`. */
  readonly noWorkerMaxMs?: number;
  readonly onEvent?: (event: PoolEvent) => void;
}

export interface ProcessorPool extends ProcessorHost {
  /** What the processor says of itself, once `ready`. */
  name(): string;
  state(): PoolState;
}

/**
 * The `ProcessorHost` of a server: a queue of pictures before a fixed number of threads, each of which runs the processor on
 * one at a time. A thread that ends, hangs or grows too much is replaced; at most the picture it held fails. Ready as long
 * as a thread lives and work does not stall.
 */
export function createProcessorPool(options: ProcessorPoolOptions): ProcessorPool {
  const { onEvent = () => undefined } = options;
  let name: string | undefined;

  const crew = createThreadCrew<Processed, string>({
    entry: "processor-worker",
    threads: options.workers,
    workerData: loadCodecs().then(
      (codecs): ProcessorStart => ({ source: options.source, codecs, limits: options.pictures }),
    ),
    limits: { ...defaultWorkerLimits, ...options },
    maxWasmBytes: options.workerMaxMemoryBytes ?? defaultWorkerMaxMemoryBytes,
    onChange: followWorkers,
    onEvent(event) {
      // Why the first one cannot start is told by `ready`.
      if (name !== undefined) onEvent(event);
    },
  });
  const queue = createRetryingQueue<Processed>({
    limits: options.queue,
    dispatch,
    onSuccess: () => readiness.noteSuccess(),
  });
  const readiness = createPoolReadiness({
    isManned: () => crew.size() > 0,
    oldestMs: () => queue.state().oldestMs,
    noWorkerMaxMs: options.noWorkerMaxMs,
    onOrphaned: queue.failAll,
    onReadyChanged: (ready) => onEvent({ kind: "ready-changed", ready }),
  });
  const ready = crew.first.then(
    (told) => {
      name = told;
    },
    (error: unknown) => {
      closeWith(startError(EmbedError.from(error), options.source));
      // Nothing is tried again: whoever waits for it is told.
      void crew.close();
      throw queue.closedBy();
    },
  );
  // Whoever awaits it sees the rejection; callers get it as the result of their pictures.
  ready.catch(() => undefined);

  function followWorkers(): void {
    dispatch();
    readiness.noteThreads();
  }

  function dispatch(): void {
    while (crew.idle() > 0) {
      const next = queue.next();
      if (!next) return;
      void work(next.job);
    }
  }

  async function work(job: Job<Processed>): Promise<void> {
    const made = await crew.ask(job.bytes);
    job.resolve(made instanceof EmbedError ? { ok: false, error: made } : made);
    dispatch();
  }

  function closeWith(error: EmbedError): void {
    readiness.close();
    queue.close(error);
  }

  return {
    concurrency: options.workers,
    ready,
    isReady: readiness.isReady,
    name: () => name ?? "",
    state: () => ({ ...queue.state(), workers: crew.size(), helps: 0, isReady: readiness.isReady() }),
    process: (bytes: Uint8Array, { signal }: EmbedOptions = {}): Promise<ProcessResult> =>
      queue.add(bytes, signal),
    async dispose() {
      closeWith(new EmbedError("SHUTTING_DOWN", "the workers of the processor are closed"));
      await crew.close();
    },
  };
}

/** Whatever keeps a module of the user's from starting is a matter of that module. */
function startError(error: EmbedError, source: ProcessorSource): EmbedError {
  if (source.kind !== "module" || error.reason === "CONFIG_INVALID") return error;
  const { message, cause } = error;
  const why = cause instanceof Error ? `${message}: ${cause.message.split("\n", 1)[0]}` : message;
  return new EmbedError("CONFIG_INVALID", `the processor ${source.shown} cannot be loaded: ${why}`, {
    cause,
  });
}
