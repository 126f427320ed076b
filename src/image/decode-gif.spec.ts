import { expect, test } from "vitest";
import { decodeGif } from "./decode-gif.ts";

interface Parts {
  readonly screen?: readonly [width: number, height: number];
  readonly frame?: readonly [x: number, y: number, width: number, height: number];
  /** Extensions and stray bytes before the frame. */
  readonly before?: readonly number[];
  /** The minimum code size and the sub-blocks. */
  readonly data: readonly number[];
}

/** Four colours: black, red, green, blue. */
const palette = [0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255];

function buildGif({ screen = [2, 2], frame = [0, 0, 2, 2], before = [], data }: Parts): Uint8Array {
  const header = [...new TextEncoder().encode("GIF89a"), screen[0], 0, screen[1], 0, 0x81, 0, 0];
  const descriptor = [0x2c, ...frame.flatMap((value) => [value, 0]), 0];
  return Uint8Array.from([...header, ...palette, ...before, ...descriptor, ...data, 0x3b]);
}

/** Codes of three bits, low bits first, in one sub-block. */
function packCodes(...codes: readonly number[]): number[] {
  const bits = codes.reduce((sum, code, i) => sum + BigInt(code) * 8n ** BigInt(i), 0n);
  const bytes = Array.from({ length: Math.ceil((codes.length * 3) / 8) }, (_, i) =>
    Number((bits >> BigInt(8 * i)) & 255n),
  );
  return [2, bytes.length, ...bytes, 0];
}

const clear = 4;
const end = 5;

/** The palette's place of each pixel. */
function indicesOf(bytes: Uint8Array): number[] {
  const { data } = decodeGif(bytes);
  return Array.from({ length: data.length / 3 }, (_, i) => data.subarray(3 * i, 3 * i + 3).indexOf(255) + 1);
}

test("a clear code may come at any time, and the end code may be missing", () => {
  expect(indicesOf(buildGif({ data: packCodes(clear, 1, clear, 2, clear, clear, 3, clear, 1) }))).toEqual([
    1, 2, 3, 1,
  ]);
});

test("a code may be used while it is being defined", () => {
  expect(indicesOf(buildGif({ data: packCodes(clear, 1, 6, 2) }))).toEqual([1, 1, 1, 2]);
});

test("around a small frame the canvas has the transparent colour, or the first", () => {
  const data = packCodes(clear, 2, end);
  const frame = [1, 1, 1, 1] as const;
  expect(indicesOf(buildGif({ frame, data }))).toEqual([0, 0, 0, 2]);
  const control = [0x21, 0xf9, 4, 1, 0, 0, 3, 0];
  expect(indicesOf(buildGif({ frame, before: control, data }))).toEqual([3, 3, 3, 2]);
});

test("a frame past the screen enlarges the canvas", () => {
  expect(decodeGif(buildGif({ frame: [1, 2, 1, 1], data: packCodes(clear, 2, end) }))).toMatchObject({
    width: 2,
    height: 3,
  });
});

test("stray bytes and unknown extensions before the frame are skipped", () => {
  const before = [0, 0x99, 0x21, 0x77, 3, 0x2c, 0x3b, 0x21, 1, 9, 0];
  expect(indicesOf(buildGif({ before, data: packCodes(clear, 1, clear, 2, clear, 3, clear, 0) }))).toEqual([
    1, 2, 3, 0,
  ]);
});

test.each<[string, Uint8Array, string]>([
  [
    "too few pixels before the end code",
    buildGif({ data: packCodes(clear, 1, end) }),
    "corrupt GIF: expected 4 pixels in the first frame, its data has 1",
  ],
  [
    "too few pixels before the last sub-block",
    buildGif({ data: [2, 1, 0x0c, 0] }),
    "corrupt GIF: expected 4 pixels in the first frame, its data has 1",
  ],
  [
    "a code before it is defined",
    buildGif({ data: packCodes(clear, 1, 7) }),
    "corrupt GIF: LZW code 7 stands before it is defined",
  ],
  [
    "a string right after a clear code",
    buildGif({ data: packCodes(clear, 6) }),
    "corrupt GIF: LZW code 6 stands before it is defined",
  ],
  [
    "no frame before the end",
    buildGif({ before: [0x3b], data: [] }),
    "corrupt GIF: expected a frame, the file ends without one",
  ],
  [
    "a frame without pixels",
    buildGif({ frame: [0, 0, 0, 2], data: [] }),
    "corrupt GIF: expected a frame of at least 1 x 1, got 0 x 2",
  ],
  [
    "a code size of 0",
    buildGif({ data: [0, 0] }),
    "corrupt GIF: expected an LZW minimum code size of 1 to 11, got 0",
  ],
  [
    "a sub-block that is cut",
    buildGif({ data: [2, 200, 1] }),
    "corrupt GIF: truncated: the frame's data should end at byte 237, the file ends at 39",
  ],
])("%s is refused", (_, bytes, message) => {
  expect(() => decodeGif(bytes)).toThrow(message);
});
