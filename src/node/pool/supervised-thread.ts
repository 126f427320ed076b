import { Worker } from "node:worker_threads";
import { EmbedError, type PlainEmbedError } from "../../errors.ts";
import { keepWasmCode } from "./keep-wasm-code.ts";
import type { NativeCalls } from "./native-calls.ts";
import type { CommandLimits, WorkerLimits } from "./worker-limits.ts";

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

/** What every thread of this kind tells, beside messages of its own. An `EmbedError` travels as plain data. */
export type ThreadMessage =
  | { readonly kind: "ready"; readonly wasmBytes: number }
  | { readonly kind: "failed"; readonly error: PlainEmbedError }
  | ThreadAnswer;

export interface ThreadAnswer {
  readonly kind: "result";
  /** Of the command that it answers. */
  readonly id: number;
  /** WebAssembly memory of the thread after this; it never shrinks. */
  readonly wasmBytes: number;
}

export interface ThreadOptions<Message> {
  /** Name of a module beside this file, without its extension. */
  readonly entry: string;
  readonly workerData: object;
  /** Of the data: the thread's from now on. */
  readonly moved?: readonly ArrayBuffer[];
  readonly limits: WorkerLimits;
  /** Machine code in the thread that is not to be interrupted by its end. */
  readonly native?: NativeCalls;
  /** Told every message that is of the thread's own kind. */
  readonly onMessage?: (message: Message) => void;
  /** The thread takes no more commands, whatever the reason. */
  readonly onEnd?: () => void;
}

/** A thread that answers one command at a time, and is ended if that takes too long or too much. */
export interface SupervisedThread<Message extends { readonly kind: string }> {
  /** Rejects if the thread cannot work. */
  readonly ready: Promise<Extract<Message, { kind: "ready" }>>;
  /** Resolves, never rejects, once the thread has ended unasked. */
  readonly lost: Promise<EmbedError>;
  /** WebAssembly memory after the last answer, or once it was ready; 0 before. */
  wasmBytes(): number;
  /** Whether a command is being worked on. */
  isBusy(): boolean;
  isEnding(): boolean;
  tell(command: object): void;
  /**
   * Never rejects.
   * @param command gets an `id`
   * @returns the answer, or why there will be none
   */
  ask(
    command: object,
    transfer: readonly ArrayBuffer[],
    limits: CommandLimits,
  ): Promise<Extract<Message, { kind: "result" }> | EmbedError>;
  terminate(): Promise<void>;
}

/** Starts a module beside this file: .ts in the repository, .js in dist. */
export function startSupervisedThread<Message extends { readonly kind: string } = ThreadMessage>(
  options: ThreadOptions<Message>,
): SupervisedThread<Message> {
  type Ready = Extract<Message, { kind: "ready" }>;
  type Answer = Extract<Message, { kind: "result" }>;
  const { limits, native, onMessage, onEnd } = options;
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  keepWasmCode();
  const worker = new Worker(new URL(`./${options.entry}.${extension}`, import.meta.url), {
    workerData: options.workerData,
    transferList: [...(options.moved ?? [])],
    resourceLimits: { maxOldGenerationSizeMb: 4 * limits.maxHeapMiB, maxYoungGenerationSizeMb },
  });
  const ready = Promise.withResolvers<Ready>();
  const lost = Promise.withResolvers<EmbedError>();
  let current: { id: number; finish: (answer: Answer | EmbedError) => void } | undefined;
  let nextId = 0;
  let wasmBytes = 0;
  let ending = false;
  let isStarted = false;

  function finish(id: number, answer: Answer | EmbedError): void {
    if (current?.id !== id) return;
    const { finish: settle } = current;
    current = undefined;
    settle(answer);
  }

  async function endThread(): Promise<void> {
    await native?.end();
    await worker.terminate();
  }

  /** Settles everything that waits for this thread; later calls change nothing. */
  function end(error: EmbedError): void {
    clearTimeout(startTimer);
    ready.reject(error);
    if (!ending) lost.resolve(error);
    ending = true;
    if (current) finish(current.id, error);
    onEnd?.();
    void endThread();
  }

  const startTimer = setTimeout(() => {
    const message = `expected a worker to be ready after at most ${limits.startTimeoutMs} ms`;
    end(new EmbedError("ENGINE_FAILED", message));
  }, limits.startTimeoutMs);

  worker.on("message", (message: Message & ThreadMessage) => {
    if (message.kind === "ready") {
      isStarted = true;
      clearTimeout(startTimer);
      wasmBytes = message.wasmBytes;
      ready.resolve(message as unknown as Ready);
    } else if (message.kind === "failed") end(EmbedError.fromPlain(message.error));
    else if (message.kind === "result") {
      wasmBytes = message.wasmBytes;
      finish(message.id, message as unknown as Answer);
    } else onMessage?.(message);
  });
  worker.on("error", (cause) => end(describeEnd("failed", isStarted, cause)));
  worker.on("exit", (code) => end(describeEnd(`ended with exit code ${code}`, isStarted)));

  async function checkHeap(id: number, tooLarge: () => EmbedError): Promise<void> {
    // A thread that ends in the meantime says so itself.
    const used = await worker.getHeapStatistics().then(
      ({ used_heap_size }) => used_heap_size,
      () => 0,
    );
    if (current?.id === id && used > limits.maxHeapMiB * 2 ** 20) end(tooLarge());
  }

  // Whoever awaits `ready` sees the rejection; a thread that fails later has no one waiting.
  ready.promise.catch(() => undefined);

  return {
    ready: ready.promise,
    lost: lost.promise,
    wasmBytes: () => wasmBytes,
    isBusy: () => current !== undefined,
    isEnding: () => ending,
    tell: (command) => worker.postMessage(command),
    ask(command, transfer, { maxMs, tooSlow, tooLarge }) {
      return new Promise((resolve) => {
        if (ending) {
          resolve(describeEnd("had ended", isStarted));
          return;
        }
        const id = nextId++;
        const timer = setTimeout(() => end(tooSlow()), maxMs);
        const heapTimer = setInterval(() => void checkHeap(id, tooLarge), heapCheckMs);
        current = {
          id,
          finish: (answer) => {
            clearTimeout(timer);
            clearInterval(heapTimer);
            resolve(answer);
          },
        };
        worker.postMessage({ ...command, id }, [...transfer]);
      });
    },
    async terminate() {
      ending = true;
      clearTimeout(startTimer);
      await endThread();
      onEnd?.();
    },
  };
}

function describeEnd(what: string, isStarted: boolean, cause?: unknown): EmbedError {
  const message = isStarted
    ? `a worker ${what}; it is being replaced, try again`
    : `a worker ${what} before it was ready`;
  return new EmbedError("ENGINE_FAILED", message, { cause });
}
