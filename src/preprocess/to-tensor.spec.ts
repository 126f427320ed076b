import { describe, expect, test } from "vitest";
import { readCodecs } from "../../fixtures/read-codecs.ts";
import {
  describeTensorDifference,
  fixtureMaxPixels,
  goodImages,
  readGolden,
  readImage,
} from "../../fixtures/read-golden.ts";
import { createDecodeImage } from "../image/decode-image.ts";
import { preprocess } from "./preprocess.ts";
import { type ChannelMode, channelModes } from "./preprocess-spec.ts";
import { toTensor } from "./to-tensor.ts";

const decodeImage = createDecodeImage(readCodecs(), { maxPixels: fixtureMaxPixels });
const tensors = goodImages.map(({ path }) => path).filter((path) => readGolden("tensor", path));

test("the goldens hold every mode", () => {
  const held = tensors.flatMap((path) => readGolden("tensor", path)!.results.map(({ mode }) => mode));
  expect(new Set(held)).toEqual(new Set(channelModes));
});

describe.each(tensors)("%s", (path) => {
  test.each(readGolden("tensor", path)!.results.map((golden) => [golden.mode, golden] as const))(
    "in mode %s has Keras's bits",
    async (mode, golden) => {
      const { pixels } = await decodeImage(readImage(path));
      const spec = { width: 224, height: 224, interpolation: "nearest", mode: mode as ChannelMode } as const;
      expect(describeTensorDifference(preprocess(pixels, spec), 224, golden)).toBeUndefined();
    },
  );
});

test.each<[ChannelMode, number[]]>([
  ["caffe", [255 - Math.fround(103.939), 128 - Math.fround(116.779), 0 - Math.fround(123.68)]],
  ["tf", [-1, Math.fround(128 / 127.5) - 1, 1]],
  ["torch", [-2.1179039478302, 0.20518219470977783, 2.640000104904175]],
  ["none", [0, 128, 255]],
])("%s of the colour 0, 128, 255", (mode, values) => {
  const pixels = { width: 1, height: 1, data: Uint8Array.of(0, 128, 255) };
  expect(toTensor(pixels, mode)).toEqual(Float32Array.from(values));
});
