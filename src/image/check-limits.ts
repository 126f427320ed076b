import { EmbedError } from "../errors.ts";
import { formatNames } from "./image-errors.ts";
import type { ImageFormat, ImageHeader, ImageLimits } from "./pixels.ts";

/**
 * The most pixels that one byte of a file can stand for. No encoder comes near it, except for WebP's, whose flat
 * pictures are bounded by no rule of the format. What claims more is a lie or a bomb, and would cost far more memory
 * than its length lets expect.
 */
const maxPixelsPerByte: Readonly<Record<ImageFormat, number>> = {
  // One bit for each block of 8 x 8 pixels, the shortest Huffman code.
  jpeg: 512,
  // Deflate gives 1032 bytes for one, of 8 pixels each.
  png: 8256,
  // libwebp was seen to write 25,336 for a flat picture of 49 megapixels.
  webp: 32_768,
  // A code of 12 bits stands for 4096 pixels at most.
  gif: 2731,
  // Runs of 255 pixels in two bytes.
  bmp: 128,
  // LZW as in GIF, of samples of 8 bits.
  tiff: 2731,
};

/** Pixels that any file may claim: some 20 MB of memory, in 10 ms. */
const freePixels = 2 ** 21;

/**
 * Caps what a header claims, before any decoder sees the bytes.
 * @param encodedBytes length of the file
 * @throws EmbedError `IMAGE_TOO_LARGE` with the limit, the actual size and, for the one limit that has it, the flag
 */
export function checkLimits(header: ImageHeader, limits: ImageLimits, encodedBytes: number): void {
  const { format, width, height } = header;
  const pixels = width * height;
  const size = `the ${formatNames[format]} has ${width} x ${height} = ${pixels} pixels`;
  if (pixels > limits.maxPixels) {
    throw new EmbedError("IMAGE_TOO_LARGE", `${size}, the limit is ${limits.maxPixels} (--max-pixels)`);
  }
  const credible = freePixels + maxPixelsPerByte[format] * encodedBytes;
  if (pixels > credible) {
    throw new EmbedError(
      "IMAGE_TOO_LARGE",
      `${size}, its ${encodedBytes} bytes can hold ${credible} at most`,
    );
  }
}
