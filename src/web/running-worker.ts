import { EmbedError } from "../errors.ts";
import type { WorkerLimits } from "./worker-limits.ts";
import type { WorkerCommand, WorkerMessage, WorkerSetup } from "./worker-messages.ts";

/** One Web Worker, which has been told to start. */
export interface RunningWorker {
  /** Copies of the pictures go to the worker: if it is lost, another one needs them. Answered by `results`. */
  embed(pictures: readonly Uint8Array[]): void;
  /** Nothing is heard of it any more. */
  end(): void;
}

/** Browsers take a longer time for none at all. */
const timerMaxMs = 2 ** 31 - 1;

/** What whoever started a worker hears of it. */
export type WorkerNews = Exclude<WorkerMessage, { kind: "holding" }>;

export interface WorkerWatcher {
  onMessage(message: WorkerNews): void;
  /** Called once at most, after which the worker has ended: `ENGINE_FAILED`, or `IMAGE_TOO_SLOW` while it embeds. */
  onLost(error: EmbedError): void;
}

/**
 * Starts a worker and watches it: an error that nobody caught, an end without a word, too long a silence.
 * @param onnx is transferred
 */
export function runWorker(
  worker: Worker,
  setup: Omit<WorkerSetup, "lock">,
  onnx: Uint8Array<ArrayBuffer>,
  { itemTimeoutMs, startTimeoutMs }: WorkerLimits,
  watcher: WorkerWatcher,
): RunningWorker {
  /** The worker holds it as long as it lives: whoever gets it knows that the worker has ended. */
  const lock = `portico-worker-${crypto.randomUUID()}`;
  const ending = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  /** Begins anew with each word of the worker. */
  let waitAnew: () => void = () => undefined;

  function expectWord(timeoutMs: number, error: () => EmbedError): void {
    waitAnew = () => {
      clearTimeout(timer);
      timer = setTimeout(() => lose(error()), Math.min(timeoutMs, timerMaxMs));
    };
    waitAnew();
  }

  function rest(): void {
    clearTimeout(timer);
    waitAnew = () => undefined;
  }

  function end(): void {
    rest();
    ending.abort();
    worker.onmessage = null;
    worker.onerror = null;
    worker.terminate();
  }

  function lose(error: EmbedError): void {
    if (ending.signal.aborted) return;
    end();
    watcher.onLost(error);
  }

  const lost = (why: string) => lose(new EmbedError("ENGINE_FAILED", `the Web Worker was lost: ${why}`));

  worker.onmessage = ({ data }: MessageEvent<WorkerMessage>) => {
    if (data.kind === "ready" || data.kind === "results") rest();
    else waitAnew();
    if (data.kind === "holding") {
      // Rejected by `end`; where the browser gives no locks, a lost worker is found by its silence.
      navigator.locks
        ?.request(lock, { signal: ending.signal }, () => lost("it ended"))
        .catch(() => undefined);
      return;
    }
    watcher.onMessage(data);
  };
  worker.onerror = (event) => {
    event.preventDefault();
    lost(event.message || "its script cannot be loaded");
  };
  worker.postMessage({ kind: "start", setup: { ...setup, lock }, onnx } satisfies WorkerCommand, [
    onnx.buffer,
  ]);
  expectWord(
    startTimeoutMs,
    () =>
      new EmbedError(
        "ENGINE_FAILED",
        `the Web Worker said nothing for ${startTimeoutMs} ms while it started`,
      ),
  );

  return {
    embed(pictures) {
      worker.postMessage({ kind: "embed", pictures } satisfies WorkerCommand);
      expectWord(itemTimeoutMs * pictures.length, () => {
        const message = `expected a picture to take at most ${itemTimeoutMs} ms (itemTimeoutMs); its Web Worker is being replaced`;
        return new EmbedError("IMAGE_TOO_SLOW", message);
      });
    },
    end,
  };
}
