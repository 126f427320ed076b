import { expect, test } from "vitest";
import { createRecentSuccess, type RecentSuccess } from "./recent-success.ts";

let time = 0;

function create(): RecentSuccess {
  time = 0;
  return createRecentSuccess({ maxFailuresInARow: 3, maxStallMs: 1_000 }, () => time);
}

test("is trusted until so many engine runs in a row have failed, and again after one success", () => {
  const recent = create();
  const seen: boolean[] = [];
  for (const step of ["fail", "fail", "succeed", "fail", "fail", "fail", "fail", "succeed"]) {
    if (step === "fail") recent.noteFailure();
    else recent.noteSuccess();
    seen.push(recent.isTrusted(0));
  }
  expect(seen).toEqual([true, true, true, true, true, false, false, true]);
});

test.each([
  { name: "nothing waits", lastSuccessAt: 0, waitMs: 0, at: 50_000, trusted: true },
  {
    name: "a picture waits long, but others came through",
    lastSuccessAt: 4_500,
    waitMs: 5_000,
    at: 5_000,
    trusted: true,
  },
  {
    name: "a picture waits, and nothing came through for as long",
    lastSuccessAt: 4_000,
    waitMs: 1_001,
    at: 5_001,
    trusted: false,
  },
  { name: "the limit itself", lastSuccessAt: 4_000, waitMs: 1_000, at: 5_000, trusted: true },
  {
    name: "a picture waits, and nothing ever came through",
    lastSuccessAt: undefined,
    waitMs: 1_001,
    at: 1_001,
    trusted: false,
  },
])("a stall: $name", ({ lastSuccessAt, waitMs, at, trusted }) => {
  const recent = create();
  if (lastSuccessAt !== undefined) {
    time = lastSuccessAt;
    recent.noteSuccess();
  }
  time = at;
  expect(recent.isTrusted(waitMs)).toBe(trusted);
});
