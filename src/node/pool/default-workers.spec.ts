import { describe, expect, test } from "vitest";
import { chooseWorkers, readMachine } from "./default-workers.ts";

const gib = 2 ** 30;

describe("chooseWorkers", () => {
  test.each([
    { cores: 2, memoryBytes: 24 * gib, expected: { workers: 2, why: "2 available cores" } },
    { cores: 64, memoryBytes: 24 * gib, expected: { workers: 4, why: "the default cap of 4" } },
    { cores: 8, memoryBytes: 2 * gib, expected: { workers: 2, why: "2048 MiB of memory hold 2" } },
    { cores: 8, memoryBytes: gib / 4, expected: { workers: 1, why: "256 MiB of memory hold 0" } },
  ])("$cores cores, $memoryBytes bytes", ({ cores, memoryBytes, expected }) => {
    expect(chooseWorkers({ cores, memoryBytes })).toEqual(expected);
  });
});

test("readMachine finds at least one core and some memory", () => {
  const { cores, memoryBytes } = readMachine();
  expect(cores).toBeGreaterThanOrEqual(1);
  expect(memoryBytes).toBeGreaterThan(2 ** 26);
});
