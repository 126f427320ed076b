import { describe, expect, test } from "vitest";
import { readCodecs } from "../../fixtures/read-codecs.ts";
import {
  describePixelDifference,
  fixtureMaxPixels,
  goodImages,
  readGolden,
  readImage,
} from "../../fixtures/read-golden.ts";
import { createDecodeImage } from "../image/decode-image.ts";
import type { Pixels } from "../image/pixels.ts";
import { type Interpolation, interpolations } from "./preprocess-spec.ts";
import { resize } from "./resize.ts";

const decodeImage = createDecodeImage(readCodecs(), { maxPixels: fixtureMaxPixels });
const resized = goodImages.map(({ path }) => path).filter((path) => readGolden("resized", path));

test("the goldens hold every interpolation", () => {
  const held = resized.flatMap((path) =>
    readGolden("resized", path)!.results.map((result) => result.interpolation),
  );
  expect(new Set(held)).toEqual(new Set(interpolations));
});

describe.each(resized)("%s", (path) => {
  const { results } = readGolden("resized", path)!;
  test.each(results.map((result) => [result.width, result.height, result.interpolation, result] as const))(
    "to %i x %i, %s, equals Pillow's",
    async (width, height, interpolation, golden) => {
      const { pixels } = await decodeImage(readImage(path));
      const source = readGolden("decoded", path)!;
      // A wrong decode is the decoder's failure, not this stage's.
      expect(describePixelDifference(pixels, source)).toBeUndefined();
      const actual = resize(pixels, width, height, interpolation as Interpolation);
      expect(describePixelDifference(actual, golden)).toBeUndefined();
    },
  );
});

const ramp: Pixels = { width: 4, height: 3, data: Uint8Array.from({ length: 36 }, (_, i) => i * 7) };

test.each(interpolations)("%s at the source's own size is a copy", (interpolation) => {
  const copy = resize(ramp, 4, 3, interpolation);
  expect(copy).toEqual(ramp);
  expect(copy.data.buffer).not.toBe(ramp.data.buffer);
});

test.each(interpolations)("%s keeps one colour one colour, at any size", (interpolation) => {
  const flat: Pixels = { width: 5, height: 7, data: new Uint8Array(105).fill(201) };
  for (const [width, height] of [
    [1, 1],
    [224, 224],
    [3, 50],
    [5, 1],
    [9, 7],
  ] as const) {
    const { data } = resize(flat, width, height, interpolation);
    expect(data).toEqual(new Uint8Array(width * height * 3).fill(201));
  }
});

test("nearest walks: 1024 columns to 224", () => {
  const wide: Pixels = { width: 1024, height: 1, data: new Uint8Array(3072) };
  for (let x = 0; x < 1024; x++) wide.data.set([x >> 8, x & 255], x * 3);
  const { data } = resize(wide, 224, 1, "nearest");
  const columns = Array.from({ length: 224 }, (_, i) => (data[3 * i]! << 8) | data[3 * i + 1]!);
  // A product, floor((i + 0.5) * 1024 / 224), gives 16, 48, 80 and 112 here.
  expect([3, 10, 17, 24].map((i) => columns[i])).toEqual([15, 47, 79, 111]);
  expect(columns.slice(-4)).toEqual([1007, 1012, 1017, 1021]);
});
