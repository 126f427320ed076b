import { expect, test } from "vitest";
import { type PoolThreads, shareCores } from "./shared-cores.ts";

/** A pool with so many leaders and helpers. */
function poolOf(leaders: number, helpers: number) {
  const pool = { leaders, helpers };
  const threads: PoolThreads = {
    working: () => pool.leaders + pool.helpers,
    callOff(wanted) {
      const called = Math.min(wanted, pool.helpers);
      pool.helpers -= called;
      return called;
    },
  };
  return { ...shareCores(threads), pool };
}

test("a pool sees the threads of the others, and calls off no more helpers than there are processors too few", () => {
  const busy = poolOf(1, 3);
  const other = poolOf(1, 1);
  const own = poolOf(1, 0);
  expect([busy.others(), other.others(), own.others()]).toEqual([3, 5, 6]);
  own.begun(7);
  expect([busy.pool.helpers, other.pool.helpers]).toEqual([3, 1]);
  own.begun(5);
  expect([busy.pool.helpers, other.pool.helpers]).toEqual([1, 1]);
  own.begun(1);
  expect([busy.pool.helpers, other.pool.helpers]).toEqual([0, 0]);
  busy.leave();
  other.leave();
  expect(own.others()).toBe(0);
  own.leave();
});
