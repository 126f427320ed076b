import type { EmbedResult } from "../../embed/embedder.ts";
import type { PreparedImage } from "../../embed/prepare-image.ts";
import { EmbedError } from "../../errors.ts";
import { createNativeCalls, gpuCallMaxMs } from "./native-calls.ts";
import { startSupervisedThread } from "./supervised-thread.ts";
import { pictureLimits, runLimits, type WorkerLimits } from "./worker-limits.ts";
import type {
  EmbedBatchCommand,
  EmbedCommand,
  HelpCommand,
  PlainEmbedResult,
  WorkerMessage,
  WorkerStart,
} from "./worker-protocol.ts";

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
   * The engine's part of several pictures in one run; never rejects. Their tensors are the thread's from now on.
   * @returns a result for each, in order
   */
  embedBatch(images: readonly PreparedImage[]): Promise<readonly EmbedResult[]>;
  /**
   * Resolves, never rejects, once it does not help with the picture of that seat any more.
   * @returns false if its thread has ended
   */
  help(seat: number): Promise<boolean>;
  /** WebAssembly memory after the last picture, the self-check's too; 0 before. */
  wasmBytes(): number;
  terminate(): Promise<void>;
}

/** What a worker tells while it lives. */
export interface WorkerReports {
  /** The engine begins with a picture, so that others may help. */
  readonly onOpen: () => void;
  /** Its GPU was lost, and another device does the work. */
  readonly onDeviceReplaced: (why: EmbedError) => void;
}

/**
 * Starts `embed-worker`.
 * @param moved of the setup: its thread's from now on
 */
export function startWorker(
  setup: Omit<WorkerStart, "nativeCalls">,
  limits: WorkerLimits,
  { onOpen, onDeviceReplaced }: WorkerReports,
  moved: readonly ArrayBuffer[] = [],
): PooledWorker {
  const native = createNativeCalls(setup.engine === "ort-webgpu" ? gpuCallMaxMs : undefined);
  let leave: ((isAlive: boolean) => void) | undefined;
  const thread = startSupervisedThread<WorkerMessage>({
    entry: "embed-worker",
    workerData: { ...setup, nativeCalls: native.state } satisfies WorkerStart,
    moved,
    limits,
    native,
    onMessage(message) {
      if (message.kind === "left") leave?.(true);
      else if (message.kind === "device-replaced") onDeviceReplaced(EmbedError.fromPlain(message.error));
      // Not for the picture of the self-check.
      else if (message.kind === "open" && thread.isBusy()) onOpen();
    },
    onEnd: () => leave?.(false),
  });

  return {
    ready: thread.ready,
    lost: thread.lost,
    wasmBytes: thread.wasmBytes,
    terminate: thread.terminate,
    async embed(bytes, helpers) {
      // A copy: should the worker end, the picture is still there to be tried again.
      const copy = new Uint8Array(bytes);
      const command: Omit<EmbedCommand, "id"> = { kind: "embed", bytes: copy, helpers };
      const answer = await thread.ask(command, [copy.buffer], pictureLimits(limits));
      if (answer instanceof EmbedError) return { ok: false, error: answer };
      return revive(answer.results[0] as PlainEmbedResult);
    },
    async embedBatch(images) {
      const command: Omit<EmbedBatchCommand, "id"> = { kind: "embed-batch", images };
      const tensors = images.map(({ tensor }) => tensor.buffer as ArrayBuffer);
      const answer = await thread.ask(command, tensors, runLimits(images.length, limits));
      if (answer instanceof EmbedError) return images.map(() => ({ ok: false, error: answer }));
      return answer.results.map(revive);
    },
    help(seat) {
      return new Promise((resolve) => {
        leave = (isAlive) => {
          leave = undefined;
          resolve(isAlive);
        };
        if (thread.isEnding()) leave(false);
        else thread.tell({ kind: "help", seat } satisfies HelpCommand);
      });
    },
  };
}

function revive(result: PlainEmbedResult): EmbedResult {
  return result.ok ? result : { ok: false, error: EmbedError.fromPlain(result.error) };
}
