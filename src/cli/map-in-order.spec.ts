import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { mapInOrder } from "./map-in-order.ts";

test.each([1, 2, 3, 10])("keeps the order with %i under way", async (ahead) => {
  let underWay = 0;
  let most = 0;
  const delaysMs = [30, 1, 20, 1, 10];
  const mapped = mapInOrder(delaysMs.entries(), ahead, async ([index, delayMs]) => {
    underWay += 1;
    most = Math.max(most, underWay);
    await sleep(delayMs);
    underWay -= 1;
    return index;
  });
  const results: number[] = [];
  for await (const index of mapped) results.push(index);
  expect(results).toEqual([0, 1, 2, 3, 4]);
  expect(most).toBe(Math.min(ahead, delaysMs.length));
});

test("gives the first result before it takes an item beyond the bound", async () => {
  const taken: number[] = [];
  const results = mapInOrder([0, 1, 2, 3], 2, async (item) => taken.push(item));
  await results.next();
  expect(taken).toEqual([0, 1]);
});

test("a later failure waits for its turn", async () => {
  const results = mapInOrder([20, 0], 2, async (delayMs) => {
    if (delayMs === 0) throw new Error("second");
    await sleep(delayMs);
    return delayMs;
  });
  await expect(results.next()).resolves.toEqual({ done: false, value: 20 });
  await expect(results.next()).rejects.toThrow("second");
});
