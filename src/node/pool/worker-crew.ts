import type { EngineName } from "../../engine/engine.ts";
import { EmbedError } from "../../errors.ts";
import type { PassedOver } from "./next-engine.ts";
import type { PooledWorker } from "./pooled-worker.ts";
import { restartDelayMs } from "./restart-delay.ts";
import { createWorkerGangs } from "./worker-gangs.ts";
import type { WorkerSetup } from "./worker-protocol.ts";
import {
  createWorkerStarter,
  type DeviceReplacedEvent,
  type WorkerReadyEvent,
  type WorkerStarterOptions,
} from "./worker-starter.ts";

export interface WorkerCrewOptions extends Pick<WorkerStarterOptions, "loadSetup" | "limits"> {
  /** Number of worker threads, at least 1. */
  readonly workers: number;
  /** The engine that has one worker, whatever `workers` says. */
  readonly batchedEngine: EngineName;
  /** A worker whose WebAssembly memory has grown beyond this is replaced after its picture. */
  readonly maxWasmBytes: number;
  /** Threads that may share one picture; below 2 each works alone. */
  readonly gangThreads: number;
  /** Whether one more worker fits into memory at this moment. */
  readonly hasRoom: () => boolean;
  /** A worker became free, or one was gained or lost. */
  readonly onChange: () => void;
  readonly onEvent: (event: CrewEvent) => void;
}

export type CrewEvent =
  | PassedOver
  | WorkerReadyEvent
  | DeviceReplacedEvent
  | { readonly kind: "worker-lost"; readonly error: EmbedError; readonly restartInMs: number }
  | { readonly kind: "worker-outgrown"; readonly wasmBytes: number };

/** A fixed number of worker threads; one that ends, fails or has grown too much is replaced. */
export interface WorkerCrew {
  readonly setup: Promise<WorkerSetup>;
  /** Resolves once the first worker has passed its self-check; rejects if it cannot. */
  readonly ready: Promise<void>;
  /** What computes; undefined until the first worker has passed its self-check. */
  engine(): EngineName | undefined;
  /** Workers that passed their self-check and live. */
  size(): number;
  /**
   * A worker without work, now the caller's; where there is none, those that help others are called back.
   * @param waiting pictures that wait for a worker
   */
  take(waiting: number): PooledWorker | undefined;
  /** WebAssembly memory of as many workers as there are to be, by the largest that lives, in bytes. */
  wasmBytes(): number;
  /** How many there are to be. */
  wanted(): number;
  /** Workers that would help with a picture that begins now. */
  helpers(): number;
  /** How often a worker without work was sent to help another since the start. */
  helps(): number;
  /** After its work. With an error, its engine is in no known state and the worker is replaced. */
  giveBack(worker: PooledWorker, error?: EmbedError): void;
  close(): Promise<void>;
}

export function createWorkerCrew(options: WorkerCrewOptions): WorkerCrew {
  const { onChange, onEvent } = options;
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
  const gangs = createWorkerGangs({
    cores: options.gangThreads,
    seatOf: (worker) => seats.get(worker),
    onFree(worker) {
      if (members.has(worker)) idle.push(worker);
      else void end(worker);
      noteFree();
    },
  });
  const starter = createWorkerStarter(
    { ...options, ...(options.gangThreads > 1 && { gangStates: gangs.states }) },
    {
      onOpen(worker) {
        gangs.open(worker);
        gangs.offer(idle);
      },
      onThread(worker, seat) {
        threads.add(worker);
        seats.set(worker, seat);
      },
      onFailed: end,
    },
  );
  const ready = starter.startFirst(freeSeat).then(join);
  // Whoever awaits it sees the rejection.
  ready.catch(() => undefined);
  /** Workers that were started and whose loss is made good. */
  let kept = 1;
  let isOpening = false;

  /** One after the other, so that a start slows down no more than one other start. */
  async function openOthers(): Promise<void> {
    if (isOpening) return;
    isOpening = true;
    while (kept < wanted() && !isClosed) {
      kept += 1;
      await openOrRetry();
    }
    isOpening = false;
  }

  /** More than one would only share the GPU, and its memory would hold the model as often. */
  function wanted(): number {
    return starter.engine() === options.batchedEngine ? 1 : options.workers;
  }

  function join(worker: PooledWorker): void {
    failedStarts = 0;
    members.add(worker);
    idle.push(worker);
    void worker.lost.then((error) => onLost(worker, error));
    noteFree();
    void openOthers();
  }

  /** Waiting pictures come first, then those that can be shared. */
  function noteFree(): void {
    onChange();
    gangs.offer(idle);
  }

  function freeSeat(): number {
    const taken = new Set(seats.values());
    let seat = 0;
    while (taken.has(seat)) seat += 1;
    return seat;
  }

  /** Never rejects: a worker that cannot start is tried again later. */
  function openOrRetry(): Promise<void> {
    return starter
      .start(freeSeat)
      .then(join, (error: unknown) => openLater(EmbedError.from(error), failedStarts++));
  }

  function openLater(error: EmbedError, failures = 0): void {
    if (isClosed) return;
    const restartInMs = restartDelayMs(failures);
    onEvent({ kind: "worker-lost", error, restartInMs });
    starter.noteLoss(error);
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
    if (!threads.delete(worker)) return;
    await worker.terminate();
    for (const helper of await gangs.dissolve(worker)) {
      onLost(helper, new EmbedError("ENGINE_FAILED", "a worker hung while it helped another"));
      await helper.terminate();
    }
    // Only now: until then these threads may write to the memory that belongs to the seat.
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

  /** Ends it now, or after the picture that it holds or helps with. */
  function retire(worker: PooledWorker): void {
    const isIdle = idle.includes(worker);
    leave(worker);
    if (isIdle) void end(worker);
    else gangs.recall(worker);
  }

  return {
    get setup() {
      return starter.setup;
    },
    ready,
    engine: starter.engine,
    size: () => members.size,
    wasmBytes: () =>
      starter.sharedBytes(wanted()) +
      wanted() * Math.max(0, ...[...members].map((worker) => worker.wasmBytes())),
    wanted,
    take(waiting) {
      const worker = idle.pop();
      if (!worker) gangs.callOff(waiting);
      return worker;
    },
    helpers() {
      const free = options.gangThreads - (members.size - idle.length) - gangs.othersWorking();
      return Math.max(0, Math.min(idle.length, free));
    },
    helps: () => gangs.helps(),
    giveBack(worker, error) {
      gangs.close(worker);
      if (error && leave(worker) && worker !== outgrown) openLater(error);
      if (members.has(worker)) {
        idle.push(worker);
        if (worker.wasmBytes() > options.maxWasmBytes && !outgrown) void replace(worker);
      } else void end(worker);
      noteFree();
    },
    async close() {
      isClosed = true;
      starter.close();
      gangs.leave();
      for (const timer of restarts) clearTimeout(timer);
      members.clear();
      idle.length = 0;
      await Promise.all([...threads].map(end));
      onChange();
    },
  };
}
