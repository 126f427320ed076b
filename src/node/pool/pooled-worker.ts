import { Worker } from "node:worker_threads";
import type { EmbedResult } from "../../embed/embedder.ts";
import { EmbedError } from "../../errors.ts";
import { keepWasmCode } from "./keep-wasm-code.ts";
import { createNativeCalls, gpuCallMaxMs } from "./native-calls.ts";
import type { WorkerCommand, WorkerMessage, WorkerStart } from "./worker-protocol.ts";

/** What a worker tells once its self-check has passed. */
export type WorkerReady = Omit<Extract<WorkerMessage, { kind: "ready" }>, "kind">;

/** A worker thread as seen from the main thread. */
export interface PooledWorker {
  /** Resolves after the self-check; rejects if the worker cannot work. */
  readonly ready: Promise<WorkerReady>;
  /** Resolves, never rejects, once the thread has ended unasked. */
  readonly lost: Promise<EmbedError>;
  /**
   * One picture at a time; never rejects. `bytes` stay the caller's.
   * @param helpers that will be sent as soon as the engine begins, as far as one can tell; undefined: it works alone
   */
  embed(bytes: Uint8Array, helpers?: number | undefined): Promise<EmbedResult>;
  /**
   * Resolves, never rejects, once it does not help with the picture of that seat any more.
   * @returns false if its thread has ended
   */
  help(seat: number): Promise<boolean>;
  /** WebAssembly memory after the last picture; 0 before the first. */
  wasmBytes(): number;
  terminate(): Promise<void>;
}

/** What one worker may take before it is ended. */
export interface WorkerLimits {
  /** One picture, from bytes to vector. */
  readonly itemTimeoutMs: number;
  /** From the start of the thread to the end of its self-check. */
  readonly startTimeoutMs: number;
  /** JavaScript objects in the heap; pixels and WebAssembly memory lie outside. */
  readonly maxHeapMiB: number;
}

/**
 * 30 s: a hundred times what a photograph takes. A start takes 1 s, and 40 s on an emulated processor; two
 * minutes leave room. A worker's heap holds 16 MiB, whatever the picture; sixteen times that is a defect.
 */
export const defaultWorkerLimits: WorkerLimits = {
  itemTimeoutMs: 30_000,
  startTimeoutMs: 120_000,
  maxHeapMiB: 256,
};

/**
 * How often the heap of a worker with a picture is looked at. V8's own limit (`resourceLimits`) is no way to hold
 * one: a thread that reaches it by one large array ends the whole process. So it lies four times as high, and a
 * heap takes longer than this from one to the other.
 */
const heapCheckMs = 250;

/**
 * Of a worker's heap: pictures and tensors lie outside of it, and what is in it is small. V8's own choice, 48 MiB, makes each
 * worker 16 MB larger and nothing faster (measured with four callers).
 */
const maxYoungGenerationSizeMb = 4;

/** What a worker tells while it lives. */
export interface WorkerReports {
  /** The engine begins with a picture, so that others may help. */
  readonly onOpen: () => void;
  /** Its GPU was lost, and another device does the work. */
  readonly onDeviceReplaced: (why: EmbedError) => void;
}

/**
 * Starts `embed-worker` beside this file: .ts in the repository, .js in dist.
 * @param moved of the setup: its thread's from now on
 */
export function startWorker(
  setup: Omit<WorkerStart, "nativeCalls">,
  limits: WorkerLimits,
  { onOpen, onDeviceReplaced }: WorkerReports,
  moved: readonly ArrayBuffer[] = [],
): PooledWorker {
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  const native = createNativeCalls(setup.engine === "ort-webgpu" ? gpuCallMaxMs : undefined);
  keepWasmCode();
  const worker = new Worker(new URL(`./embed-worker.${extension}`, import.meta.url), {
    workerData: { ...setup, nativeCalls: native.state } satisfies WorkerStart,
    transferList: [...moved],
    resourceLimits: { maxOldGenerationSizeMb: 4 * limits.maxHeapMiB, maxYoungGenerationSizeMb },
  });
  const ready = Promise.withResolvers<WorkerReady>();
  const lost = Promise.withResolvers<EmbedError>();
  let current: { id: number; finish: (result: EmbedResult) => void } | undefined;
  let leave: ((isAlive: boolean) => void) | undefined;
  let nextId = 0;
  let wasmBytes = 0;
  let ending = false;
  let isStarted = false;

  const command = (one: WorkerCommand, transfer: ArrayBuffer[] = []) => worker.postMessage(one, transfer);

  function finish(id: number, result: EmbedResult): void {
    if (current?.id !== id) return;
    const { finish: settle } = current;
    current = undefined;
    settle(result);
  }

  async function endThread(): Promise<void> {
    await native.end();
    await worker.terminate();
  }

  /** Settles everything that waits for this worker; later calls change nothing. */
  function end(error: EmbedError): void {
    clearTimeout(startTimer);
    ready.reject(error);
    if (!ending) lost.resolve(error);
    ending = true;
    if (current) finish(current.id, { ok: false, error });
    leave?.(false);
    void endThread();
  }

  const startTimer = setTimeout(() => {
    const message = `expected a worker to be ready after at most ${limits.startTimeoutMs} ms`;
    end(new EmbedError("ENGINE_FAILED", message));
  }, limits.startTimeoutMs);

  worker.on("message", (message: WorkerMessage) => {
    if (message.kind === "ready") {
      isStarted = true;
      clearTimeout(startTimer);
      ready.resolve(message);
    } else if (message.kind === "failed") end(EmbedError.fromPlain(message.error));
    else if (message.kind === "left") leave?.(true);
    else if (message.kind === "device-replaced") onDeviceReplaced(EmbedError.fromPlain(message.error));
    else if (message.kind === "open") {
      // Not for the picture of the self-check.
      if (current) onOpen();
    } else {
      wasmBytes = message.wasmBytes;
      finish(message.id, message.result.ok ? message.result : revive(message.result.error));
    }
  });
  worker.on("error", (cause) => end(describeEnd("failed", isStarted, cause)));
  worker.on("exit", (code) => end(describeEnd(`ended with exit code ${code}`, isStarted)));

  async function checkHeap(id: number): Promise<void> {
    // A thread that ends in the meantime says so itself.
    const used = await worker.getHeapStatistics().then(
      ({ used_heap_size }) => used_heap_size,
      () => 0,
    );
    // Too many objects are the picture's doing: no retry would cure them.
    if (current?.id === id && used > limits.maxHeapMiB * 2 ** 20) {
      const message = `expected a picture to need at most ${limits.maxHeapMiB} MiB of a worker's JavaScript heap; its worker is being replaced`;
      end(new EmbedError("IMAGE_TOO_LARGE", message));
    }
  }

  // Whoever awaits `ready` sees the rejection; a worker that fails later has no one waiting.
  ready.promise.catch(() => undefined);

  return {
    ready: ready.promise,
    lost: lost.promise,
    wasmBytes: () => wasmBytes,
    embed(bytes, helpers) {
      return new Promise((resolve) => {
        if (ending) {
          resolve({ ok: false, error: describeEnd("had ended", isStarted) });
          return;
        }
        const id = nextId++;
        const timer = setTimeout(() => {
          const message = `expected a picture to take at most ${limits.itemTimeoutMs} ms (--item-timeout-ms); its worker is being replaced`;
          end(new EmbedError("IMAGE_TOO_SLOW", message));
        }, limits.itemTimeoutMs);
        const heapTimer = setInterval(() => void checkHeap(id), heapCheckMs);
        current = {
          id,
          finish: (result) => {
            clearTimeout(timer);
            clearInterval(heapTimer);
            resolve(result);
          },
        };
        // A copy: should the worker end, the picture is still there to be tried again.
        const copy = new Uint8Array(bytes);
        command({ kind: "embed", id, bytes: copy, helpers }, [copy.buffer]);
      });
    },
    help(seat) {
      return new Promise((resolve) => {
        leave = (isAlive) => {
          leave = undefined;
          resolve(isAlive);
        };
        if (ending) leave(false);
        else command({ kind: "help", seat });
      });
    },
    async terminate() {
      ending = true;
      clearTimeout(startTimer);
      await endThread();
      leave?.(false);
    },
  };
}

function revive(error: Parameters<typeof EmbedError.fromPlain>[0]): EmbedResult {
  return { ok: false, error: EmbedError.fromPlain(error) };
}

function describeEnd(what: string, isStarted: boolean, cause?: unknown): EmbedError {
  const message = isStarted
    ? `a worker ${what}; it is being replaced, try again`
    : `a worker ${what} before it was ready`;
  return new EmbedError("ENGINE_FAILED", message, { cause });
}
