import { expect, test } from "vitest";
import { createReadiness } from "./readiness.ts";

test("is not ready at first, and tells changes only", () => {
  const readiness = createReadiness();
  const seen: boolean[] = [];
  const stop = readiness.onChange(() => seen.push(readiness.current()));
  expect(readiness.current()).toBe(false);
  for (const next of [false, true, true, false]) readiness.set(next);
  expect(seen).toEqual([true, false]);
  stop();
  stop();
  readiness.set(true);
  expect(seen).toEqual([true, false]);
});

test("once ended it is never ready again", () => {
  const readiness = createReadiness();
  const seen: boolean[] = [];
  readiness.onChange(() => seen.push(readiness.current()));
  readiness.set(true);
  expect(readiness.isEnded()).toBe(false);
  readiness.end();
  expect(readiness.isEnded()).toBe(true);
  readiness.set(true);
  expect(readiness.current()).toBe(false);
  expect(seen).toEqual([true, false]);
});
