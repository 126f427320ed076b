import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { createRareLog } from "./rare-log.ts";

test("tells the first of each message at once, and counts the others until the next", async () => {
  const told: unknown[] = [];
  const log = createRareLog((level, message, fields) => told.push([level, message, fields]), 200);
  for (let n = 0; n < 5; n++) log("warn", "a", { n });
  log("warn", "b", {});
  expect(told).toEqual([
    ["warn", "a", { n: 0 }],
    ["warn", "b", {}],
  ]);
  await sleep(210);
  log("warn", "a", { n: 5 });
  log("warn", "b", {});
  expect(told.slice(2)).toEqual([
    ["warn", "a", { n: 5, suppressed: 4 }],
    ["warn", "b", {}],
  ]);
});
