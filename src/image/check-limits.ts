import { EmbedError } from "../errors.ts";
import { formatNames } from "./image-errors.ts";
import type { ImageHeader, ImageLimits } from "./pixels.ts";

/**
 * Caps what a header claims, before any decoder sees the bytes.
 * @throws EmbedError `IMAGE_TOO_LARGE` with the limit, the actual size and the flag that moves the limit
 */
export function checkLimits(header: ImageHeader, limits: ImageLimits): void {
  const { format, width, height } = header;
  const pixels = width * height;
  if (pixels > limits.maxPixels) {
    throw new EmbedError(
      "IMAGE_TOO_LARGE",
      `the ${formatNames[format]} has ${width} x ${height} = ${pixels} pixels, the limit is ${limits.maxPixels} (--max-pixels)`,
    );
  }
}
