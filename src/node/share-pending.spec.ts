import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { sharePending } from "./share-pending.ts";

test("those who ask while it is made share one result, or one failure", async () => {
  let made = 0;
  const ask = sharePending(async () => {
    made += 1;
    await sleep(5);
    if (made === 2) throw new Error("not now");
    return made;
  });
  expect(await Promise.all([ask(), ask(), ask()])).toEqual([1, 1, 1]);
  const settled = await Promise.allSettled([ask(), ask()]);
  expect(settled.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  expect(await ask()).toBe(3);
});
