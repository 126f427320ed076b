import { expect, test } from "vitest";
import { runModelMutation } from "./model-mutation.ts";

/** The long run is `npm run mutate:models`. */
const options = { seed: 7, count: 600, caseTimeoutMs: 5000 };

/** What a thread takes that loads h5wasm anew after it was stopped, and the heap that waits for its collector. */
const maxGrownBytes = 256 * 2 ** 20;

test(`${options.count} damaged models: no crash, no untyped error, none takes long or much`, {
  timeout: 300_000,
}, async () => {
  const { outcomes, faults, slowestMs, grownBytes } = await runModelMutation(options);
  expect(faults).toEqual([]);
  // The damage reaches the readers, and some of it changes only values.
  expect(outcomes.converted).toBeGreaterThan(options.count / 10);
  expect(outcomes.CONVERT_INVALID).toBeGreaterThan(options.count / 4);
  // HDF5 may hang on some, and is stopped then.
  expect(outcomes.stopped ?? 0).toBeLessThan(options.count / 20);
  expect(slowestMs).toBeLessThan(5000);
  expect(grownBytes).toBeLessThan(maxGrownBytes);
});
