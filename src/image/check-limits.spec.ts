import { expect, test } from "vitest";
import { checkLimits } from "./check-limits.ts";
import { defaultImageLimits, type ImageFormat } from "./pixels.ts";

const refusalOf = (format: ImageFormat, width: number, height: number, encodedBytes: number) => {
  try {
    checkLimits({ format, width, height }, defaultImageLimits, encodedBytes);
    return "taken";
  } catch (error) {
    return String(error);
  }
};

// Flat white pictures, the smallest files of their size that Pillow 13 writes.
test.each<[ImageFormat, number, number, number]>([
  ["webp", 2000, 2000, 212],
  ["webp", 4000, 3000, 528],
  ["webp", 7000, 7000, 1934],
  ["png", 2000, 2000, 2211],
  ["png", 7000, 7000, 19335],
  ["gif", 2000, 2000, 3941],
  ["gif", 7000, 7000, 36914],
  ["jpeg", 2000, 2000, 23731],
  ["jpeg", 7000, 7000, 287651],
  ["tiff", 7000, 7000, 71684],
  // Runs of 255 pixels.
  ["bmp", 7000, 7000, 7000 * 2 * 28],
])("a flat %s of %i x %i in %i bytes is taken", (...picture) => {
  expect(refusalOf(...picture)).toBe("taken");
});

test.each<[ImageFormat, number, string]>([
  ["jpeg", 512, "JPEG has 7000 x 7000 = 49000000 pixels, its 1000 bytes can hold 2609152 at most"],
  ["png", 8256, "PNG has 7000 x 7000 = 49000000 pixels, its 1000 bytes can hold 10353152 at most"],
  ["webp", 32768, "WebP has 7000 x 7000 = 49000000 pixels, its 1000 bytes can hold 34865152 at most"],
  ["gif", 2731, "GIF has 7000 x 7000 = 49000000 pixels, its 1000 bytes can hold 4828152 at most"],
  ["bmp", 128, "BMP has 7000 x 7000 = 49000000 pixels, its 1000 bytes can hold 2225152 at most"],
  ["tiff", 2731, "TIFF has 7000 x 7000 = 49000000 pixels, its 1000 bytes can hold 4828152 at most"],
])("a %s may claim 2 megapixels and %i more for each of its bytes", (format, pixelsPerByte, message) => {
  expect(refusalOf(format, 2 ** 21 + 1000 * pixelsPerByte, 1, 1000)).toBe("taken");
  expect(refusalOf(format, 2 ** 21 + 1000 * pixelsPerByte + 1, 1, 1000)).toMatch(/^EmbedError: the /);
  expect(refusalOf(format, 7000, 7000, 1000)).toBe(`EmbedError: the ${message}`);
});
