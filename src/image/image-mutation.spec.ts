import { expect, test } from "vitest";
import { runPictureMutation } from "../../tools/mutation/picture-mutation.ts";

/** The long run is `tools/mutation/run-picture-mutation.ts`, which also runs one case again: `--only INDEX`. */
const seed = 7;
const count = 10_000;

test(`${count} damaged pictures: no crash, no untyped error, none slow, memory returns`, {
  timeout: 300_000,
}, async () => {
  const report = await runPictureMutation({ seed, first: 0, count });
  expect(report.crash).toBeUndefined();
  expect(report.faults).toEqual([]);
  expect(report.done).toBe(count);
  // The damage reaches the decoders, and does not stop at their doors.
  expect(report.outcomes.decoded).toBeGreaterThan(count / 10);
  expect(report.outcomes.IMAGE_CORRUPT).toBeGreaterThan(count / 4);
  expect(Object.keys(report.outcomes).toSorted()).toEqual([
    "IMAGE_CORRUPT",
    "IMAGE_TOO_LARGE",
    "IMAGE_UNSUPPORTED",
    "SOURCE_EMPTY",
    "decoded",
  ]);
  // Processor time, which other work on the machine does not lengthen; the slowest is a canvas of some megapixels.
  expect(report.slowest[0]?.cpuMs).toBeLessThan(5_000);
  expect(report.memory.lastQuarter).toBeLessThan(report.memory.firstQuarter + 64 * 2 ** 20);
});
