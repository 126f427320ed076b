import { EmbedError } from "../../errors.ts";
import { timerMaxMs } from "../timer-max-ms.ts";

/** What one worker may take before it is ended. */
export interface WorkerLimits {
  /** One picture, from bytes to vector; where two threads share that, in each. A batch has as often as long. */
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

/** What the limits come to for one command, and its result beyond them. */
export interface CommandLimits {
  readonly maxMs: number;
  readonly tooSlow: () => EmbedError;
  readonly tooLarge: () => EmbedError;
}

/** For one picture's own work: no retry would cure it. */
export function pictureLimits({ itemTimeoutMs, maxHeapMiB }: WorkerLimits): CommandLimits {
  return {
    maxMs: itemTimeoutMs,
    tooSlow: () =>
      new EmbedError(
        "IMAGE_TOO_SLOW",
        `expected a picture to take at most ${itemTimeoutMs} ms (--item-timeout-ms); its worker is being replaced`,
      ),
    tooLarge: () =>
      new EmbedError(
        "IMAGE_TOO_LARGE",
        `expected a picture to need at most ${maxHeapMiB} MiB of a worker's JavaScript heap; its worker is being replaced`,
      ),
  };
}

/**
 * For a run of the engine with so many pictures. All tensors are of one size, so what it takes is no picture's own doing:
 * each has another try.
 */
export function runLimits(pictures: number, { itemTimeoutMs, maxHeapMiB }: WorkerLimits): CommandLimits {
  const maxMs = Math.min(pictures * itemTimeoutMs, timerMaxMs);
  const run = `a run of ${pictures} ${pictures === 1 ? "picture" : "pictures"}`;
  const fail = (limit: string) =>
    new EmbedError("ENGINE_FAILED", `expected ${run} to ${limit}; its worker is being replaced, try again`);
  return {
    maxMs,
    tooSlow: () => fail(`take at most ${maxMs} ms (${itemTimeoutMs} for each, --item-timeout-ms)`),
    tooLarge: () => fail(`need at most ${maxHeapMiB} MiB of a worker's JavaScript heap`),
  };
}
