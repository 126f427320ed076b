import type { EmbedOptions } from "../../embed/embedder.ts";
import type { ProcessorLimits } from "../../embed/process-picture.ts";
import type { Processed, ProcessorHost, ProcessResult } from "../../embed/processor.ts";
import { abortError } from "../../embed/settle-before.ts";
import { EmbedError } from "../../errors.ts";
import { createRecentSuccess, defaultRecentSuccessLimits } from "../observe/recent-success.ts";
import { createJobQueue, type Job, type QueueLimits } from "./job-queue.ts";
import { loadCodecs } from "./load-codecs.ts";
import type { ProcessMessage, ProcessorSource, ProcessorStart } from "./processor-protocol.ts";
import { createThreadCrew } from "./thread-crew.ts";
import { defaultWorkerLimits, type WorkerLimits } from "./worker-limits.ts";
import type { PoolEvent, PoolState } from "./worker-pool.ts";
import { defaultNoWorkerMaxMs, defaultWorkerMaxMemoryBytes } from "./worker-pool-options.ts";

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

/** A picture whose worker ended is tried again once, as in the worker pool of an encoder. */
const retries = 1;

const watchIntervalMs = 1_000;

/**
 * The `ProcessorHost` of a server: a queue of pictures before a fixed number of threads, each of which runs the processor on
 * one at a time. A thread that ends, hangs or grows too much is replaced; at most the picture it held fails. Ready as long
 * as a thread lives and work does not stall.
 */
export function createProcessorPool(options: ProcessorPoolOptions): ProcessorPool {
  const { noWorkerMaxMs = defaultNoWorkerMaxMs, onEvent = () => undefined } = options;
  const queue = createJobQueue<Processed>(options.queue);
  /** Pictures that lost their worker: they have waited already. */
  const retryQueue = createJobQueue<Processed>({ maxItems: Infinity, maxBytes: Infinity });
  const recent = createRecentSuccess(defaultRecentSuccessLimits, () => performance.now());
  let closedBy: EmbedError | undefined;
  let name: string | undefined;
  let wasReady = false;
  /** When the last worker was lost; undefined while one lives and before the first. */
  let noWorkerSince: number | undefined;

  const crew = createThreadCrew<ProcessMessage>({
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
  const ready = crew.first.then(
    (first) => {
      name = first.name;
      noteReadiness();
    },
    (error: unknown) => {
      closeWith(startError(EmbedError.from(error), options.source));
      // Nothing is tried again: whoever waits for it is told.
      void crew.close();
      throw closedBy;
    },
  );
  // Whoever awaits it sees the rejection; callers get it as the result of their pictures.
  ready.catch(() => undefined);
  const watch = setInterval(() => {
    noteReadiness();
    failOrphans();
  }, watchIntervalMs).unref();

  function followWorkers(): void {
    dispatch();
    noWorkerSince = crew.isLost() ? (noWorkerSince ?? performance.now()) : undefined;
    noteReadiness();
  }

  function dispatch(): void {
    while (crew.idle() > 0) {
      const job = retryQueue.shift() ?? queue.shift();
      if (!job) return;
      void work(job);
    }
  }

  async function work(job: Job<Processed>): Promise<void> {
    const answer = await crew.ask("process", job.bytes);
    if (answer instanceof EmbedError) job.resolve({ ok: false, error: answer });
    else if (answer.result.ok) job.resolve(answer.result);
    else job.resolve({ ok: false, error: EmbedError.fromPlain(answer.result.error) });
    dispatch();
  }

  function enqueue(
    bytes: Uint8Array,
    signal: AbortSignal | undefined,
    settle: (result: ProcessResult) => void,
  ) {
    const attempt = (triesLeft: number): Job<Processed> => ({
      bytes,
      signal,
      resolve(result) {
        if (result.ok) recent.noteSuccess();
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
    for (const waiting of [queue, retryQueue]) waiting.failAll(new EmbedError("NOT_READY", message));
  }

  function closeWith(error: EmbedError): void {
    closedBy ??= error;
    clearInterval(watch);
    queue.failAll(closedBy);
    retryQueue.failAll(closedBy);
  }

  const isReady = () =>
    name !== undefined && crew.size() > 0 && !closedBy && recent.isTrusted(queue.state().oldestMs);

  function noteReadiness(): void {
    const now = isReady();
    if (now === wasReady) return;
    wasReady = now;
    onEvent({ kind: "ready-changed", ready: now });
  }

  return {
    concurrency: options.workers,
    ready,
    isReady,
    name: () => name ?? "",
    state: () => ({ ...queue.state(), workers: crew.size(), helps: 0, isReady: isReady() }),
    process(bytes: Uint8Array, { signal }: EmbedOptions = {}): Promise<ProcessResult> {
      return new Promise((resolve) => {
        if (closedBy) {
          resolve({ ok: false, error: closedBy });
          return;
        }
        // The picture that a worker holds is worked on to its end, but its caller is told at once.
        const onAbort = () => settle({ ok: false, error: abortError(signal as AbortSignal) });
        const settle = (result: ProcessResult) => {
          signal?.removeEventListener("abort", onAbort);
          resolve(result);
        };
        signal?.addEventListener("abort", onAbort);
        enqueue(bytes, signal, settle);
      });
    },
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
