import { expect, test } from "vitest";
import { spreadPalette } from "./spread-palette.ts";

const ramp = Array.from({ length: 768 }, (_, i) => Math.trunc(i / 3));

test.each<[string, readonly number[] | undefined, readonly number[]]>([
  ["no palette is a ramp of greys", undefined, ramp],
  ["two colours, then black", [9, 8, 7, 1, 2, 3], [9, 8, 7, 1, 2, 3, ...Array(762).fill(0)]],
  ["the beginning of the ramp is the ramp", [0, 0, 0, 1, 1, 1], ramp],
  ["black and white are no ramp", [0, 0, 0, 255, 255, 255], [0, 0, 0, 255, 255, 255, ...Array(762).fill(0)]],
  ["more than 256 colours are cut", [7, ...ramp.slice(1), 1, 2, 3], [7, ...ramp.slice(1)]],
])("%s", (_, palette, colours) => {
  expect([...spreadPalette(palette && Uint8Array.from(palette))]).toEqual(colours);
});
