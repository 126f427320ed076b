import type { EngineName } from "../../engine/engine.ts";
import { type PackedModel, packedBytes } from "../../engine/simd/packed-model.ts";
import { EmbedError } from "../../errors.ts";
import { nextEngine, nextEngineAfterLoss, type PassedOver } from "./next-engine.ts";
import { type PooledWorker, startWorker } from "./pooled-worker.ts";
import type { WorkerLimits } from "./worker-limits.ts";
import type { WorkerSetup } from "./worker-protocol.ts";

export interface WorkerStarterOptions {
  /** Called once. */
  readonly loadSetup: () => Promise<WorkerSetup>;
  readonly limits: WorkerLimits;
  /** What workers share that help each other; without it each works alone. */
  readonly gangStates?: SharedArrayBuffer;
  readonly onEvent: (event: PassedOver | WorkerReadyEvent | DeviceReplacedEvent) => void;
}

export interface WorkerReadyEvent {
  readonly kind: "worker-ready";
  readonly engine: EngineName;
  readonly startMs: number;
  readonly maxAbsError: number | undefined;
  /** Of the engine `ort-webgpu`: the name of its GPU. */
  readonly adapter?: string;
}

/** A worker lost its GPU; another device does its work. */
export interface DeviceReplacedEvent {
  readonly kind: "device-replaced";
  readonly error: EmbedError;
}

/** Where a worker is entered in the books of those who start it. */
export interface StartHooks {
  /** The engine begins with a picture, and others could help with it. */
  readonly onOpen: (worker: PooledWorker) => void;
  /** The thread runs; gives the number of its seat. */
  readonly onThread: (worker: PooledWorker, seat: number) => void;
  /** It could not start. Resolves once its memory is given back. */
  readonly onFailed: (worker: PooledWorker) => Promise<void>;
}

/** Starts workers, all with the engine that the first one found to work. */
export interface WorkerStarter {
  readonly setup: Promise<WorkerSetup>;
  /** What computes; undefined until the first worker has passed its self-check. */
  engine(): EngineName | undefined;
  /** Tries the engines of the setup in turn, each in a thread of its own. Resolves to a worker that passed its self-check. */
  startFirst(seat: () => number): Promise<PooledWorker>;
  /** What so many workers hold together besides what is each one's own, in bytes. */
  sharedBytes(workers: number): number;
  start(seat: () => number): Promise<PooledWorker>;
  /**
   * A worker was lost, or one that is not the first could not start: where its engine is not to be tried again, the next
   * starts are those of another one.
   */
  noteLoss(error: EmbedError): void;
  /** From now on every start is refused. */
  close(): void;
}

export function createWorkerStarter(options: WorkerStarterOptions, hooks: StartHooks): WorkerStarter {
  /** What the first worker made for all. */
  let packed: PackedModel | undefined;
  let setup = options.loadSetup();
  let engine: EngineName | undefined;
  let isClosed = false;

  async function startFirst(seat: () => number): Promise<PooledWorker> {
    try {
      return await start(seat);
    } catch (error) {
      const next = isClosed ? undefined : nextEngine(await setup, EmbedError.from(error));
      if (!next) throw error;
      setup = Promise.resolve(next.setup);
      options.onEvent(next.event);
      return startFirst(seat);
    }
  }

  async function start(freeSeat: () => number): Promise<PooledWorker> {
    const value = await setup;
    const { onnx, moved } = await readOnnx(value);
    if (isClosed) throw new EmbedError("SHUTTING_DOWN", "the workers are being ended");
    const startedAt = performance.now();
    const seat = freeSeat();
    const { gangStates } = options;
    let canHelp = false;
    const worker = startWorker(
      { ...value, onnx, seat, ...(packed && { packed }), ...(gangStates && { gangStates }) },
      options.limits,
      {
        onOpen() {
          if (canHelp) hooks.onOpen(worker);
        },
        onDeviceReplaced: (error) => options.onEvent({ kind: "device-replaced", error }),
      },
      moved,
    );
    hooks.onThread(worker, seat);
    try {
      const ready = await worker.ready;
      canHelp = ready.canHelp;
      packed ??= ready.packed;
      engine = value.engine;
      const { maxAbsError, adapter } = ready;
      const startMs = performance.now() - startedAt;
      options.onEvent({
        ...{ kind: "worker-ready", engine, startMs, maxAbsError },
        ...(adapter !== undefined && { adapter }),
      });
      return worker;
    } catch (error) {
      await hooks.onFailed(worker);
      throw error;
    }
  }

  /** @returns the bytes for one worker, and what of them is moved to it */
  async function readOnnx({ onnx }: WorkerSetup) {
    if (packed) return { onnx: new Uint8Array(0), moved: [] };
    if (typeof onnx !== "function") return { onnx, moved: [] };
    const bytes = await onnx();
    return { onnx: bytes, moved: [bytes.buffer] };
  }

  return {
    get setup() {
      return setup;
    },
    engine: () => engine,
    startFirst,
    start,
    sharedBytes: (workers) => (packed ? packedBytes(packed.plan, workers) : 0),
    noteLoss(error) {
      setup = setup.then((value) => {
        const next = isClosed ? undefined : nextEngineAfterLoss(value, error);
        if (!next) return value;
        options.onEvent(next.event);
        return next.setup;
      });
    },
    close() {
      isClosed = true;
    },
  };
}
