import { expect, test } from "vitest";
import { decodeBmp } from "./decode-bmp.ts";

interface Parts {
  readonly width: number;
  readonly height: number;
  readonly bits: number;
  readonly data: readonly number[];
  readonly compression?: number;
  readonly masks?: readonly number[];
  readonly colours?: number;
  readonly palette?: readonly number[];
  readonly headerBytes?: number;
  /** What the file header says of the data's place; the truth unless told. */
  readonly dataOffset?: number;
}

function buildBmp(parts: Parts): Uint8Array {
  const {
    width,
    height,
    bits,
    data,
    compression = 0,
    masks = [],
    colours = 0,
    palette = [],
    headerBytes = 40,
  } = parts;
  const masksEnd = headerBytes === 40 ? 54 + 4 * masks.length : 14 + headerBytes;
  const dataStart = masksEnd + palette.length;
  const bytes = new Uint8Array(dataStart + data.length);
  const view = new DataView(bytes.buffer);
  bytes.set([0x42, 0x4d]);
  view.setUint32(10, parts.dataOffset ?? dataStart, true);
  view.setUint32(14, headerBytes, true);
  view.setInt32(18, width, true);
  view.setInt32(22, height, true);
  view.setUint16(28, bits, true);
  view.setUint32(30, compression, true);
  view.setUint32(46, colours, true);
  for (const [i, mask] of masks.entries()) view.setUint32(54 + 4 * i, mask, true);
  bytes.set(palette, masksEnd);
  bytes.set(data, dataStart);
  return bytes;
}

const pixelsOf = (parts: Parts) => [...decodeBmp(buildBmp(parts)).data];

/** Every layout of 32 bits that Pillow takes; expected values are Pillow 13.0.0's for the bytes 1, 2, 3, 4. */
test.each<[string, readonly number[], readonly number[]]>([
  ["BGRX", [0xff0000, 0xff00, 0xff], [3, 2, 1]],
  ["XBGR", [0xff000000, 0xff0000, 0xff00], [4, 3, 2]],
  ["BGXR", [0xff000000, 0xff00, 0xff], [4, 2, 1]],
  ["ABGR", [0xff000000, 0xff0000, 0xff00, 0xff], [4, 3, 2]],
  ["RGBA", [0xff, 0xff00, 0xff0000, 0xff000000], [1, 2, 3]],
  ["BGRA", [0xff0000, 0xff00, 0xff, 0xff000000], [3, 2, 1]],
  ["BGAR", [0xff000000, 0xff00, 0xff, 0xff0000], [4, 2, 1]],
  ["no masks", [0, 0, 0, 0], [3, 2, 1]],
])("32 bits as %s", (_, masks, rgb) => {
  const headerBytes = masks.length === 4 ? 108 : 40;
  expect(
    pixelsOf({ width: 1, height: 1, bits: 32, compression: 3, masks, headerBytes, data: [1, 2, 3, 4] }),
  ).toEqual(rgb);
});

const grey4 = [0, 0, 0, 0, 10, 20, 30, 0, 40, 50, 60, 0, 70, 80, 90, 0];
const colour = [
  [0, 0, 0],
  [30, 20, 10],
  [60, 50, 40],
  [90, 80, 70],
] as const;
const colours = (indices: readonly number[]) => indices.flatMap((index) => colour[index]!);
const rle = { width: 4, height: -2, bits: 8, compression: 1, colours: 4, palette: grey4 };

test.each<[string, readonly number[], readonly number[]]>([
  ["runs", [4, 1, 0, 0, 4, 2, 0, 1], [1, 1, 1, 1, 2, 2, 2, 2]],
  ["absolute runs, padded to an even place", [0, 3, 1, 2, 3, 0, 1, 1, 0, 0, 4, 2], [1, 2, 3, 1, 2, 2, 2, 2]],
  ["a line that ends early", [2, 1, 0, 0, 4, 2], [1, 1, 0, 0, 2, 2, 2, 2]],
  ["a delta", [1, 1, 0, 2, 1, 1, 2, 3], [1, 0, 0, 0, 0, 0, 3, 3]],
  ["a run past the end of its line", [9, 1, 0, 0, 4, 2], [1, 1, 1, 1, 2, 2, 2, 2]],
])("run lengths: %s", (_, data, indices) => {
  expect(pixelsOf({ ...rle, data })).toEqual(colours(indices));
});

test("run lengths of 4 bits alternate", () => {
  const data = [4, 0x12, 0, 0, 0, 4, 0x32, 0x10, 0, 1];
  expect(pixelsOf({ ...rle, bits: 4, compression: 2, data })).toEqual(colours([1, 2, 1, 2, 3, 2, 1, 0]));
});

test("run lengths that end before the last pixel are refused", () => {
  expect(() => decodeBmp(buildBmp({ ...rle, data: [4, 1, 0, 1] }))).toThrow(
    "corrupt BMP: expected 8 pixels, the run-length data has 4",
  );
});

test("colours that the palette lacks are black", () => {
  expect(
    pixelsOf({ width: 2, height: 1, bits: 8, colours: 4, palette: grey4, data: [3, 200, 0, 0] }),
  ).toEqual([90, 80, 70, 0, 0, 0]);
});

test.each([0, 54])("a data offset of %i is read as Pillow reads it: behind the palette", (dataOffset) => {
  const parts = { width: 1, height: 1, bits: 8, colours: 4, palette: grey4, data: [2, 0, 0, 0], dataOffset };
  expect(pixelsOf(parts)).toEqual([60, 50, 40]);
});

test("the last row may lack its padding", () => {
  expect(pixelsOf({ width: 1, height: 1, bits: 24, data: [1, 2, 3] })).toEqual([3, 2, 1]);
});

test.each<[Parts, string]>([
  [
    { width: 1, height: 1, bits: 16, compression: 3, masks: [0xf000, 0xf00, 0xf0], data: [0, 0, 0, 0] },
    "this kind of BMP is not supported: 16 bits a pixel with the masks f000, f00, f0, 0",
  ],
  [
    { width: 1, height: 1, bits: 8, colours: 70_000, data: [] },
    "corrupt BMP: expected a palette of at most 65536 colours, got 70000",
  ],
  [
    { width: 1, height: 1, bits: 8, compression: 2, data: [] },
    "this kind of BMP is not supported: compression 2 with 8 bits a pixel",
  ],
])("%j is refused", (parts, message) => {
  expect(() => decodeBmp(buildBmp(parts))).toThrow(message);
});
