import type { PreprocessSpec } from "../preprocess/preprocess-spec.ts";
import { resize } from "../preprocess/resize.ts";
import type { Processor } from "./processor.ts";

/**
 * The picture as a model sees it: decoded, and resized to the model's input. An encoder of that model gives the preview the
 * vector of the original, bit for bit, since at its own size a picture is not resized again.
 */
export function createPreview({
  width,
  height,
  interpolation,
}: Pick<PreprocessSpec, "width" | "height" | "interpolation">): Processor {
  return {
    name: "preview",
    async process(picture) {
      const pixels = await picture.decode();
      const seen = resize(pixels, width, height, interpolation);
      // A large picture's memory goes back before the next one comes; garbage collection may be far.
      if (pixels.data.buffer instanceof ArrayBuffer) pixels.data.buffer.transfer(0);
      return [seen];
    },
  };
}
