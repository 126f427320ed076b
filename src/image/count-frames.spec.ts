import { expect, test } from "vitest";
import { goodImages, readImage } from "../../fixtures/read-golden.ts";
import { pictureBombs } from "../../tools/mutation/picture-bombs.ts";
import { mostCountedFrames } from "./count-frames.ts";
import { readHeader } from "./read-header.ts";

/** As Pillow's `n_frames`; every fixture that is not named here has one. */
const framesOf: ReadonlyMap<string, number> = new Map([
  ["gif/animated.gif", 2],
  ["gif/animated-small-first.gif", 2],
  ["gif/small-frame-transparent.gif", 2],
  ["png/animated.png", 2],
  ["tiff/two-pages.tif", 2],
  ["webp/animated.webp", 2],
  ["webp/animated-lossless.webp", 2],
  ["webp/animated-alpha.webp", 2],
  ["webp/animated-small-first.webp", 2],
  ["webp/animated-small-first-alpha.webp", 2],
]);

test.each(goodImages.map(({ path }) => path))("%s", (path) => {
  expect(readHeader(readImage(path)).frames).toBe(framesOf.get(path) ?? 1);
});

test.each([
  "png: an animation of 2147483647 frames, 100,000 of them there with 50000 x 50000",
  "gif: a million frames of 65535 x 65535 after the first, 16 MB",
  "webp: 100,000 frames of 16777216 x 16777216 after the first",
])("counting ends at a thousand: %s", (name) => {
  const bomb = pictureBombs.find((candidate) => candidate.name === name)!;
  expect(readHeader(bomb.make()).frames).toBe(mostCountedFrames);
});

test("a TIFF whose pages name each other in a circle", () => {
  const bytes = readImage("tiff/two-pages.tif");
  const view = new DataView(bytes.buffer);
  const first = view.getUint32(4, true);
  const nextOf = (page: number) => page + 2 + 12 * view.getUint16(page, true);
  const second = view.getUint32(nextOf(first), true);
  view.setUint32(nextOf(second), first, true);
  expect(readHeader(bytes).frames).toBe(2);
});

test.each(["gif/animated.gif", "webp/animated.webp", "tiff/two-pages.tif", "png/animated.png"])(
  "%s with anything behind its header changed is counted without an error",
  (path) => {
    const bytes = readImage(path);
    for (let i = 0; i < bytes.length; i++) {
      const damaged = bytes.slice();
      damaged[i]! ^= 0xff;
      try {
        expect(readHeader(damaged).frames).toBeGreaterThan(0);
      } catch (error) {
        expect(error).toMatchObject({ reason: expect.stringMatching(/^IMAGE_/) });
      }
    }
  },
);
