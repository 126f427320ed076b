import type { PackedModel } from "../../engine/simd/packed-model.ts";
import { EmbedError } from "../../errors.ts";
import { type PooledWorker, startWorker, type WorkerLimits } from "./pooled-worker.ts";
import type { WorkerSetup } from "./worker-protocol.ts";

export interface WorkerCrewOptions {
  /** Number of worker threads, at least 1. */
  readonly workers: number;
  /** Called once. */
  readonly loadSetup: () => Promise<WorkerSetup>;
  readonly limits: WorkerLimits;
  /** A worker whose WebAssembly memory has grown beyond this is replaced after its picture. */
  readonly maxWasmBytes: number;
  /** Whether one more worker fits into memory at this moment. */
  readonly hasRoom: () => boolean;
  /** A worker became free, or one was gained or lost. */
  readonly onChange: () => void;
  readonly onEvent: (event: CrewEvent) => void;
}

export type CrewEvent =
  | { readonly kind: "worker-ready"; readonly startMs: number; readonly maxAbsError: number }
  | { readonly kind: "worker-lost"; readonly error: EmbedError; readonly restartInMs: number }
  | { readonly kind: "worker-outgrown"; readonly wasmBytes: number };

/** A fixed number of worker threads; one that ends, fails or has grown too much is replaced. */
export interface WorkerCrew {
  readonly setup: Promise<WorkerSetup>;
  /** Resolves once the first worker has passed its self-check; rejects if it cannot. */
  readonly ready: Promise<void>;
  /** Workers that passed their self-check and live. */
  size(): number;
  /** A worker without work, now the caller's, or undefined. */
  take(): PooledWorker | undefined;
  /** After its work. With an error, its engine is in no known state and the worker is replaced. */
  giveBack(worker: PooledWorker, error?: EmbedError): void;
  close(): Promise<void>;
}

/** A worker that was lost is started again after this long, doubled for each start that fails, up to the cap. */
const restartDelayMs = 100;
const restartDelayMaxMs = 5_000;

export function createWorkerCrew(options: WorkerCrewOptions): WorkerCrew {
  const { limits, onChange, onEvent } = options;
  /** Every thread that was started and not ended, whether it has work, starts up or leaves. */
  const threads = new Set<PooledWorker>();
  /** Those that take work. */
  const members = new Set<PooledWorker>();
  const idle: PooledWorker[] = [];
  const restarts = new Set<NodeJS.Timeout>();
  let failedStarts = 0;
  let isClosed = false;
  /** The one whose successor is being started: memory holds one worker more than asked for at most. */
  let outgrown: PooledWorker | undefined;

  /** Numbers of the threads that were started and have not ended. */
  const seats = new Map<PooledWorker, number>();
  /** What the first worker made for all. */
  let packed: PackedModel | undefined;
  let setup = options.loadSetup();
  const ready = setup.then(open);
  ready.then(openOthers, () => undefined);

  /** One after the other, so that a start slows down no more than one other start. */
  async function openOthers(): Promise<void> {
    for (let count = 1; count < options.workers && !isClosed; count++) await openOrRetry();
  }

  async function open(): Promise<void> {
    const value = await setup;
    if (isClosed) throw new EmbedError("SHUTTING_DOWN", "the workers are being ended");
    const startedAt = performance.now();
    const seat = freeSeat();
    const worker = startWorker({ ...value, seat, ...(packed && { packed }) }, limits);
    threads.add(worker);
    seats.set(worker, seat);
    try {
      const { maxAbsError, packed: made } = await worker.ready;
      if (made && !packed) share(value, made);
      onEvent({ kind: "worker-ready", startMs: performance.now() - startedAt, maxAbsError });
    } catch (error) {
      void end(worker);
      throw error;
    }
    failedStarts = 0;
    members.add(worker);
    idle.push(worker);
    void worker.lost.then((error) => onLost(worker, error));
    onChange();
  }

  /** From now on the model's own bytes are read by nobody. */
  function share(value: WorkerSetup, made: PackedModel): void {
    packed = made;
    setup = Promise.resolve({ ...value, onnx: new Uint8Array(0) });
  }

  function freeSeat(): number {
    const taken = new Set(seats.values());
    let seat = 0;
    while (taken.has(seat)) seat += 1;
    return seat;
  }

  /** Never rejects: a worker that cannot start is tried again later. */
  function openOrRetry(): Promise<void> {
    return open().catch((error: unknown) => openLater(EmbedError.from(error), failedStarts++));
  }

  function openLater(error: EmbedError, failures = 0): void {
    if (isClosed) return;
    const restartInMs = Math.min(restartDelayMs * 2 ** failures, restartDelayMaxMs);
    onEvent({ kind: "worker-lost", error, restartInMs });
    const timer = setTimeout(() => {
      restarts.delete(timer);
      void openOrRetry();
    }, restartInMs);
    restarts.add(timer);
  }

  function onLost(worker: PooledWorker, error: EmbedError): void {
    void end(worker);
    if (leave(worker) && worker !== outgrown) openLater(error);
    onChange();
  }

  /** Takes no more work. @returns whether it did until now */
  function leave(worker: PooledWorker): boolean {
    const place = idle.indexOf(worker);
    if (place >= 0) idle.splice(place, 1);
    return members.delete(worker);
  }

  async function end(worker: PooledWorker): Promise<void> {
    threads.delete(worker);
    await worker.terminate();
    // Only now: until then the thread may write to the memory that belongs to its seat.
    seats.delete(worker);
  }

  /** Where memory holds both, the successor comes first: even with one worker there is no gap then. */
  async function replace(worker: PooledWorker): Promise<void> {
    outgrown = worker;
    onEvent({ kind: "worker-outgrown", wasmBytes: worker.wasmBytes() });
    if (!options.hasRoom()) retire(worker);
    await openOrRetry();
    retire(worker);
    outgrown = undefined;
    onChange();
  }

  /** Ends it now, or with `giveBack` after the picture that it holds. */
  function retire(worker: PooledWorker): void {
    const isIdle = idle.includes(worker);
    leave(worker);
    if (isIdle) void end(worker);
  }

  return {
    get setup() {
      return setup;
    },
    ready,
    size: () => members.size,
    take: () => idle.pop(),
    giveBack(worker, error) {
      if (error && leave(worker) && worker !== outgrown) openLater(error);
      if (members.has(worker)) {
        idle.push(worker);
        if (worker.wasmBytes() > options.maxWasmBytes && !outgrown) void replace(worker);
      } else void end(worker);
      onChange();
    },
    async close() {
      isClosed = true;
      for (const timer of restarts) clearTimeout(timer);
      members.clear();
      idle.length = 0;
      await Promise.all([...threads].map(end));
      onChange();
    },
  };
}
