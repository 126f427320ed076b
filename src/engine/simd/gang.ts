import { EmbedError } from "../../errors.ts";
import {
  abortGang,
  clearAbort,
  type GangState,
  helpersOf,
  isAborted,
  isCalledOff,
  isEnd,
  mostParts,
  notePartDone,
  type Part,
  partsDone,
  publishEnd,
  publishStart,
  publishStep,
  readTicket,
  sleepOnDone,
  sleepOnHelpers,
  sleepOnTicket,
  takePart,
  watchDone,
  watchTicket,
} from "./gang-state.ts";

/** A thread's own way to compute a part of a step for a picture. */
export type RunPart = (part: Part) => void;

/** Bounds of all waiting, in milliseconds on the clock `now`. */
export interface GangLimits {
  /** A part that is not done after this long is taken for hung. */
  readonly partTimeoutMs: number;
  /** Threads wait awake for so long, then asleep. */
  readonly spinMs: number;
  /** A helper for whom there is no part for so long leaves in the middle of a picture. */
  readonly idleHelperMs: number;
  /** A helper waits, awake, for so long after a picture: its leader's next one often follows at once. */
  readonly lingerMs: number;
}

/**
 * A part takes a millisecond or two, and a hundred times that on an emulated processor. 50 ms is what lies between two pictures of
 * one caller: the reply, the next request and the decoder.
 */
export const defaultGangLimits: GangLimits = {
  partTimeoutMs: 5_000,
  spinMs: 5,
  idleHelperMs: 1_000,
  lingerMs: 50,
};

export interface GangClock extends GangLimits {
  readonly now: () => number;
}

/**
 * Runs `steps` steps of a picture together with whoever helps.
 * @param begin called once helpers may come; gives how many are on their way, though they are not counted yet, or undefined
 *   if nobody is to help
 * @returns false if a helper was lost: what the steps should have written is not to be trusted, and nobody writes any more
 * @throws EmbedError `ENGINE_FAILED` if a helper hangs; whatever `run` throws. A helper may then still be writing.
 */
export function leadGang(
  state: GangState,
  steps: number,
  begin: () => number | undefined,
  run: RunPart,
  clock: GangClock,
): boolean {
  clearAbort(state);
  publishStart(state);
  const expected = begin();
  try {
    for (let step = 0; step < steps; step++) {
      const helpers = Math.max(helpersOf(state), step === 0 ? (expected ?? 0) : 0);
      const parts = expected === undefined ? 1 : Math.min(1 + helpers, mostParts);
      if (parts === 1) run({ step, part: 0, parts });
      else if (!leadStep(state, step, parts, run, clock)) {
        publishEnd(state);
        awaitLeaving(state, clock);
        return false;
      }
    }
    return true;
  } finally {
    publishEnd(state);
  }
}

/** @returns false if a helper was lost */
function leadStep(state: GangState, step: number, parts: number, run: RunPart, clock: GangClock): boolean {
  publishStep(state, step, parts);
  for (let own = takePart(state); own; own = takePart(state)) {
    run(own);
    notePartDone(state);
  }
  const since = clock.now();
  for (let done = partsDone(state); done < parts; done = partsDone(state)) {
    if (isAborted(state)) return false;
    if (checkPatience(since, clock) < clock.spinMs) watchDone(state, done);
    else sleepOnDone(state, done);
  }
  return true;
}

/** Other helpers than the lost one may be in the middle of a part. */
function awaitLeaving(state: GangState, clock: GangClock): void {
  const since = clock.now();
  for (let helpers = helpersOf(state); helpers > 0; helpers = helpersOf(state)) {
    checkPatience(since, clock);
    sleepOnHelpers(state, helpers);
  }
}

/** @returns how long it has been */
function checkPatience(since: number, { now, partTimeoutMs }: GangClock): number {
  const waitedMs = now() - since;
  if (waitedMs < partTimeoutMs) return waitedMs;
  throw new EmbedError(
    "ENGINE_FAILED",
    `simd: expected the threads that share a picture to finish their parts within ${partTimeoutMs} ms`,
  );
}

/**
 * Takes parts of another thread's pictures until none has come for a while or this thread is called off.
 * @param own state of this thread's seat
 * @throws whatever `run` throws; the gang is then told
 */
export function helpGang(state: GangState, own: GangState, run: RunPart, clock: GangClock): void {
  let idleSince = clock.now();
  while (!isCalledOff(own)) {
    const ticket = readTicket(state);
    const part = takePart(state);
    if (part) {
      try {
        run(part);
      } catch (cause) {
        abortGang(state);
        throw cause;
      }
      notePartDone(state);
      idleSince = clock.now();
    } else {
      const idleMs = clock.now() - idleSince;
      // After an abort the leader waits until all have left.
      const patienceMs = isEnd(ticket) ? (isAborted(state) ? 0 : clock.lingerMs) : clock.idleHelperMs;
      if (idleMs >= patienceMs) return;
      if (isEnd(ticket) || idleMs < clock.spinMs) watchTicket(state, own, ticket);
      else sleepOnTicket(state, ticket);
    }
  }
}
