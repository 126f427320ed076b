import { expect, test } from "vitest";
import { readCodecs } from "../../fixtures/read-codecs.ts";
import { badImages, goodImages, readImage } from "../../fixtures/read-golden.ts";
import { EmbedError } from "../errors.ts";
import { createDecodeImage } from "./decode-image.ts";

// Damaged headers claim any size; a low cap keeps the test quick.
const decodeImage = createDecodeImage(readCodecs(), { maxPixels: 2_000_000 });
const reasons = ["SOURCE_EMPTY", "IMAGE_UNSUPPORTED", "IMAGE_CORRUPT", "IMAGE_TOO_LARGE"];
const tries = 20;

/** The same numbers in every run (a linear congruential generator), so that a failure can be repeated. */
function createRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** "decoded", or the reason; anything but an EmbedError of the list, or a picture of a wrong size, is an error. */
async function outcomeOf(bytes: Uint8Array): Promise<string> {
  try {
    const { header, pixels } = await decodeImage(bytes);
    expect(pixels).toMatchObject({ width: header.width, height: header.height });
    expect(pixels.data).toHaveLength(header.width * header.height * 3);
    return "decoded";
  } catch (error) {
    if (!(error instanceof EmbedError)) throw error;
    expect(reasons).toContain(error.reason);
    expect(error.message).not.toBe("");
    return error.reason;
  }
}

const paths = [...goodImages, ...badImages]
  .map(({ path }) => path)
  .filter((path) => readImage(path).length > 1);

/** A file of these formats is whole only with its last byte; the others' ends may carry nothing. */
function mustBeWhole(path: string): boolean {
  return /^(photo|jpeg|png|webp)\//.test(path) && !path.includes("bytes-after-end");
}

test.each(paths)("%s cut anywhere is refused, or a picture", async (path) => {
  const bytes = readImage(path);
  const random = createRandom(bytes.length);
  for (let i = 0; i < tries; i++) {
    const length = random(bytes.length);
    const outcome = await outcomeOf(bytes.subarray(0, length));
    if (mustBeWhole(path)) expect(outcome, `cut to ${length} bytes`).not.toBe("decoded");
  }
});

test.each(paths)("%s with bytes changed is refused, or a picture", async (path) => {
  const bytes = readImage(path);
  const random = createRandom(bytes.length + 1);
  for (let i = 0; i < tries; i++) {
    const damaged = bytes.slice();
    // Half of the damage goes where the headers are.
    const reach = i % 2 === 0 ? bytes.length : Math.min(bytes.length, 150);
    for (let change = 0; change <= random(4); change++) damaged[random(reach)] = random(256);
    await outcomeOf(damaged);
  }
});
