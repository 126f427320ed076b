import { expect, test } from "vitest";
import { decodeBmp } from "./decode-bmp.ts";
import { readHeader } from "./read-header.ts";
import { writeBmp } from "./write-bmp.ts";

test.each([
  [1, 1],
  [2, 3],
  [3, 2],
  [5, 4],
])("%i x %i pixels come back from a BMP, without their alpha", (width, height) => {
  const data = Uint8ClampedArray.from({ length: width * height * 4 }, (_, i) => (i * 37) % 256);
  const bmp = writeBmp({ data, width, height });
  expect(readHeader(bmp)).toEqual({ format: "bmp", width, height, frames: 1 });
  expect(decodeBmp(bmp)).toEqual({
    width,
    height,
    data: Uint8Array.from([...data].filter((_, i) => i % 4 !== 3)),
  });
});
