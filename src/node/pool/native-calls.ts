import { EmbedError } from "../../errors.ts";

/**
 * A thread must not be ended while machine code works for it: onnxruntime-node then ends the whole process
 * (`Napi::Error`, SIGABRT; seen with 1.30.0 each time), be it by `terminate()` or by the end of the process.
 * Two words are shared with the main thread: whether such a call is under way, and whether none may begin.
 */
export type NativeCallState = Int32Array<SharedArrayBuffer>;

const runs = 0;
const isEnding = 1;

/**
 * How long the end of a thread waits for its machine code: a picture takes a tenth of a second, loading a model
 * half a second, and forty times that on an emulated processor. What takes longer hangs, and is ended all the same.
 */
const nativeCallMaxMs = 30_000;

/** The same for a GPU: a software one takes a minute for a picture, and Dawn ends the process in the same way. */
export const gpuCallMaxMs = 120_000;

/** The side of the main thread. */
export interface NativeCalls {
  /** For the worker's `callNative`. */
  readonly state: NativeCallState;
  /** Resolves once no call is under way; none begins after it. */
  end(): Promise<void>;
}

/** Threads whose end has not been asked for, and how long it may take. */
const open = new Map<NativeCallState, number>();

/** The process is about to end its threads, and waits for nobody: this listener does. */
process.on("exit", () => {
  for (const [state, maxMs] of open) {
    Atomics.store(state, isEnding, 1);
    Atomics.wait(state, runs, 1, maxMs);
  }
});

/** @param maxMs how long the end of the thread waits for one call */
export function createNativeCalls(maxMs = nativeCallMaxMs): NativeCalls {
  const state = new Int32Array(new SharedArrayBuffer(8));
  open.set(state, maxMs);
  return {
    state,
    async end() {
      Atomics.store(state, isEnding, 1);
      await Atomics.waitAsync(state, runs, 1, maxMs).value;
      open.delete(state);
    },
  };
}

/**
 * In the worker: runs machine code, which may take long. Calls do not overlap.
 * @throws EmbedError `ENGINE_FAILED` if this thread is to end; whatever `call` throws
 */
export async function callNative<T>(state: NativeCallState, call: () => Promise<T>): Promise<T> {
  begin(state);
  try {
    return await call();
  } finally {
    finish(state);
  }
}

/** The same for what is done once it returns. */
export function callNativeNow<T>(state: NativeCallState, call: () => T): T {
  begin(state);
  try {
    return call();
  } finally {
    finish(state);
  }
}

function begin(state: NativeCallState): void {
  Atomics.store(state, runs, 1);
  if (Atomics.load(state, isEnding) === 0) return;
  finish(state);
  throw new EmbedError("ENGINE_FAILED", "the worker is being ended");
}

function finish(state: NativeCallState): void {
  Atomics.store(state, runs, 0);
  Atomics.notify(state, runs);
}
