import { expect, test } from "vitest";
import type { EngineSession } from "../engine/engine.ts";
import { EmbedError } from "../errors.ts";
import { createEmbedPictures } from "./embed-pictures.ts";
import type { PrepareImage } from "./prepare-image.ts";

/** Passes red and green of a picture of 1 x 1 on, and tells of each run. */
function twoFeatures(batches: number[]): EngineSession {
  return {
    inputShape: [1, 1, 3],
    dimension: 2,
    async run(tensor, batch) {
      batches.push(batch);
      return Float32Array.from({ length: batch * 2 }, (_, i) => tensor[(i >> 1) * 3 + (i & 1)] as number);
    },
    dispose: async () => undefined,
  };
}

/** A "picture" of two bytes, red and green; of any other length it is broken. */
const prepare: PrepareImage = async (bytes) => {
  if (bytes.length !== 2) throw new EmbedError("IMAGE_CORRUPT", `expected 2 bytes, got ${bytes.length}`);
  const [red, green] = bytes;
  return {
    tensor: Float32Array.of(red as number, green as number, 0),
    ...{ format: "png", width: 1, height: 1, decodeMs: 1, preprocessMs: 2 },
  };
};

test.each<[string, readonly number[][], readonly unknown[], readonly number[]]>([
  [
    "all of them good",
    [
      [3, 4],
      [0, 2],
    ],
    [
      [3 / 5, 4 / 5],
      [0, 1],
    ],
    [2],
  ],
  [
    "a bad one first, between and last",
    [[1], [3, 4], [], [0, 2], [1, 2, 3]],
    ["expected 2 bytes, got 1", [3 / 5, 4 / 5], "expected 2 bytes, got 0", [0, 1], "expected 2 bytes, got 3"],
    [2],
  ],
  ["none of them good", [[1], []], ["expected 2 bytes, got 1", "expected 2 bytes, got 0"], []],
])("a result for each picture in its place, in one run: %s", async (_, pictures, expected, runs) => {
  const batches: number[] = [];
  const embed = createEmbedPictures(prepare, twoFeatures(batches), () => 0);
  const results = await embed(pictures.map((bytes) => Uint8Array.from(bytes)));
  expect(results.map((result) => (result.ok ? [...result.vector] : result.error.message))).toEqual(
    expected.map((one) => (Array.isArray(one) ? [...Float32Array.from(one as number[])] : one)),
  );
  expect(batches).toEqual(runs);
});
