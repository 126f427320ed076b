import { describe, expect, test } from "vitest";
import { measurePictureBombs } from "../../tools/mutation/measure-picture-bombs.ts";
import type { BombReport } from "../../tools/mutation/picture-bomb-child.ts";
import { pictureBombs } from "../../tools/mutation/picture-bombs.ts";
import { imageFormats } from "./pixels.ts";

// bench/picture-bombs.ts prints what each costs: about 100 ms and far below 50 MiB. A busy machine gets ten times
// the time, and twice the memory, for what else moves in a process.
const mostMs = 1000;
const mostBytes = 100 * 2 ** 20;

describe.each(imageFormats)("%s", (format) => {
  const bombs = [...pictureBombs.entries()].filter(([, { name }]) => name.startsWith(`${format}: `));
  let reports: Promise<readonly BombReport[]> | undefined;

  test.each(bombs.map(([, { name, outcome }], place) => [name, outcome, place] as const))(
    "%s: %s, quickly and cheaply",
    { timeout: 120_000 },
    async (_, outcome, place) => {
      reports ??= measurePictureBombs(bombs.map(([index]) => index));
      const report = (await reports)[place]!;
      expect(report.outcome).toBe(outcome);
      // Processor time: other work on the machine does not lengthen it.
      expect(report.cpuMs).toBeLessThan(mostMs);
      expect(report.extraBytes).toBeLessThan(mostBytes);
    },
  );
});
