import { expect, test } from "vitest";
import { decodePng } from "../../src/image/decode-png.ts";
import type { Pixels } from "../../src/image/pixels.ts";
import { writePalettePng } from "./write-palette-png.ts";

const pixelsOf = (width: number, colours: readonly (readonly number[])[]): Pixels => ({
  width,
  height: colours.length / width,
  data: Uint8Array.from(colours.flat()),
});

test("few colours come back as they are", async () => {
  const black = [0, 0, 0];
  const white = [255, 255, 255];
  const pixels = pixelsOf(2, [black, white, [131, 65, 1], black, [0, 255, 0], white]);
  expect(await decodePng(writePalettePng(pixels))).toEqual(pixels);
});

test("many colours are merged into 256 that are near them", async () => {
  const colours = Array.from({ length: 64 * 64 }, (_, index) => [
    ...[(index % 64) * 4, Math.floor(index / 64) * 4, 128],
  ]);
  const pixels = pixelsOf(64, colours);
  const { data } = await decodePng(writePalettePng(pixels));
  const found = new Set(
    Array.from({ length: 64 * 64 }, (_, index) => data.slice(3 * index, 3 * index + 3).join()),
  );
  expect(found.size).toBe(256);
  const distances = pixels.data.map((value, index) => Math.abs(value - (data[index] as number)));
  expect(Math.max(...distances)).toBeLessThanOrEqual(16);
});
