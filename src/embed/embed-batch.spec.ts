import { expect, test } from "vitest";
import type { EngineSession } from "../engine/engine.ts";
import { EmbedError } from "../errors.ts";
import { embedBatch } from "./embed-batch.ts";
import type { PreparedImage } from "./prepare-image.ts";

/** Two features of a picture of 1 x 1: the sums of its red and green. */
function twoFeatures(seen: number[]): EngineSession {
  return {
    inputShape: [1, 1, 3],
    dimension: 2,
    async run(tensor, batch) {
      seen.push(batch);
      return Float32Array.from({ length: batch * 2 }, (_, i) => tensor[(i >> 1) * 3 + (i & 1)] as number);
    },
    dispose: async () => undefined,
  };
}

const image = (red: number, green: number): PreparedImage => ({
  tensor: Float32Array.of(red, green, 0),
  format: "png",
  width: red,
  height: green,
  decodeMs: 1,
  preprocessMs: 2,
});

test("one run for all pictures, a result for each in its place", async () => {
  const batches: number[] = [];
  const clock = [10, 17];
  const now = () => clock.shift() as number;
  const results = await embedBatch(twoFeatures(batches), [image(3, 4), image(0, 0), image(0, 2)], now);
  const timings = { decodeMs: 1, preprocessMs: 2, inferMs: 7 };
  const message = "expected features with a finite norm above 0, got 0 over 2 values";
  expect(batches).toEqual([3]);
  expect(results).toEqual([
    {
      ok: true,
      vector: Float32Array.of(3 / 5, 4 / 5),
      format: "png",
      width: 3,
      height: 4,
      timings,
    },
    { ok: false, error: new EmbedError("ENGINE_FAILED", message) },
    { ok: true, vector: Float32Array.of(0, 1), format: "png", width: 0, height: 2, timings },
  ]);
});

test("a run that fails fails every picture of it", async () => {
  const session: EngineSession = {
    ...twoFeatures([]),
    run: () => Promise.reject(new EmbedError("ENGINE_FAILED", "the device was lost")),
  };
  const results = await embedBatch(session, [image(1, 1), image(2, 1)], () => 0);
  const lost = { ok: false, error: new EmbedError("ENGINE_FAILED", "the device was lost") };
  expect(results).toEqual([lost, lost]);
});
