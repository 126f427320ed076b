import { setTimeout } from "node:timers/promises";
import { expect, test } from "vitest";
import { runClosedLoop } from "./closed-loop.ts";

test.each([
  { callers: 1, calls: 5, atOnce: 1 },
  { callers: 3, calls: 10, atOnce: 3 },
  { callers: 4, calls: 2, atOnce: 2 },
])("$callers callers make $calls calls, $atOnce at once", async ({ callers, calls, atOnce }) => {
  const indices: number[] = [];
  let running = 0;
  let most = 0;
  const { timesMs, perSecond } = await runClosedLoop(
    async (index) => {
      indices.push(index);
      most = Math.max(most, ++running);
      await setTimeout(5);
      running--;
    },
    callers,
    { calls },
  );
  expect(indices).toEqual(Array.from({ length: calls }, (_, index) => index));
  expect(most).toBe(atOnce);
  expect(timesMs).toHaveLength(calls);
  expect(perSecond).toBeGreaterThan(0);
  expect(perSecond).toBeLessThan((1000 / 4) * atOnce);
});

test("a loop of some time lets the last call end", async () => {
  let [begun, ended] = [0, 0];
  await runClosedLoop(
    async () => {
      begun++;
      await setTimeout(20);
      ended++;
    },
    2,
    { seconds: 0.05 },
  );
  expect(begun).toBeGreaterThanOrEqual(2);
  expect(ended).toBe(begun);
});

test("a call that fails ends the loop with its error", async () => {
  const fail = () => Promise.reject(new Error("no vector"));
  await expect(runClosedLoop(fail, 2, { calls: 8 })).rejects.toThrow("no vector");
});
