import { describe, expect, test } from "vitest";
import { readCodecs } from "../../fixtures/read-codecs.ts";
import {
  describePixelDifference,
  fixtureMaxPixels,
  readGolden,
  readImage,
} from "../../fixtures/read-golden.ts";
import { createDecodeImage } from "../image/decode-image.ts";
import type { Pixels } from "../image/pixels.ts";
import type { Interpolation } from "../preprocess/preprocess-spec.ts";
import { createPreview } from "./preview-processor.ts";
import type { Processor } from "./processor.ts";

const decodeImage = createDecodeImage(readCodecs(), { maxPixels: fixtureMaxPixels });
const path = "photo/locomotion-house-cat.jpg";

async function previewOf(preview: Processor, pixels: Pixels): Promise<Pixels> {
  const { width, height } = pixels;
  const input = {
    bytes: new Uint8Array(0),
    format: "png",
    width,
    height,
    decode: async () => pixels,
  } as const;
  const outputs = await preview.process(input);
  expect(outputs.length).toBe(1);
  return outputs[0] as Pixels;
}

describe("the preview of a photograph", () => {
  const { results } = readGolden("resized", path)!;
  test.each(results.map((golden) => [golden.width, golden.height, golden.interpolation, golden] as const))(
    "%i x %i, %s, has Pillow's pixels, and is its own preview",
    async (width, height, interpolation, golden) => {
      const preview = createPreview({ width, height, interpolation: interpolation as Interpolation });
      const { pixels } = await decodeImage(readImage(path));
      const seen = await previewOf(preview, pixels);
      expect(describePixelDifference(seen, golden)).toBeUndefined();
      // The memory of the large one was given back.
      expect(pixels.data.length).toBe(0);
      const copy = { ...seen, data: seen.data.slice() };
      expect(await previewOf(preview, seen)).toEqual(copy);
    },
  );
});
