import { settleBefore } from "../../embed/settle-before.ts";

/** Runs `work` once one of the slots is free; rejects as `settleBefore` does if the caller goes first. */
export type InSlot = <T>(work: () => Promise<T>, signal: AbortSignal | undefined) => Promise<T>;

/** Lets at most `count` works run at once; the others wait, first come, first served. */
export function createSlots(count: number): InSlot {
  let free = count;
  const waiting = new Set<() => void>();

  async function takeSlot(signal: AbortSignal | undefined): Promise<void> {
    if (free > 0) {
      free--;
      return;
    }
    let start = (): void => undefined;
    const turn = new Promise<void>((resolve) => {
      start = resolve;
    });
    waiting.add(start);
    try {
      await settleBefore(turn, signal);
    } catch (error) {
      // A slot handed over in the same moment goes to the next.
      if (!waiting.delete(start)) freeSlot();
      throw error;
    }
  }

  function freeSlot(): void {
    const [next] = waiting;
    if (next) {
      waiting.delete(next);
      next();
    } else free++;
  }

  return async (work, signal) => {
    await takeSlot(signal);
    try {
      return await work();
    } finally {
      freeSlot();
    }
  };
}
