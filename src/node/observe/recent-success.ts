import type { Now } from "../../embed/host.ts";

/** Whether pictures that reach the engines come back as vectors, judged by what happened last. */
export interface RecentSuccess {
  /** An embedding was made. A picture that is itself to blame says nothing of the engines: it is not noted. */
  noteSuccess(): void;
  /** An engine failed, or its worker was lost with a picture in hand. */
  noteFailure(): void;
  /** @param oldestWaitMs how long the picture that waits longest has waited; 0 if none does */
  isTrusted(oldestWaitMs: number): boolean;
}

export interface RecentSuccessLimits {
  /**
   * Failures in a row that end the trust. Five: one picture that ends its worker is tried twice, so that two
   * such pictures alone do not take a server out of its load balancer.
   */
  readonly maxFailuresInARow: number;
  /**
   * Longest time without an embedding while a picture waits. A minute: twice what one picture may take, and a
   * full queue moves all the while.
   */
  readonly maxStallMs: number;
}

export const defaultRecentSuccessLimits: RecentSuccessLimits = { maxFailuresInARow: 5, maxStallMs: 60_000 };

export function createRecentSuccess(limits: RecentSuccessLimits, now: Now): RecentSuccess {
  let failuresInARow = 0;
  let lastSuccessAt = -Infinity;
  return {
    noteSuccess() {
      failuresInARow = 0;
      lastSuccessAt = now();
    },
    noteFailure() {
      failuresInARow += 1;
    },
    isTrusted(oldestWaitMs) {
      const isStalled = oldestWaitMs > limits.maxStallMs && now() - lastSuccessAt > limits.maxStallMs;
      return failuresInARow < limits.maxFailuresInARow && !isStalled;
    },
  };
}
