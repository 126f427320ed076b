import { join, le16, le32, type PictureBomb, repeat } from "./picture-bomb-parts.ts";

interface Shape {
  readonly width: number;
  readonly height: number;
  readonly bits?: number;
  readonly compression?: number;
  readonly colours?: number;
  /** Where the header says that the rows begin. */
  readonly offset?: number;
}

export function bmp(
  { width, height, bits = 24, compression = 0, colours = 0, offset }: Shape,
  data: Uint8Array,
): Uint8Array {
  const palette = bits <= 8 ? new Uint8Array(4 * (colours || 2 ** bits)) : new Uint8Array(0);
  const info = join(
    le32(40),
    le32(width),
    le32(height),
    le16(1),
    le16(bits),
    le32(compression),
    new Uint8Array(12),
    le32(colours),
    le32(0),
  );
  return join("BM", le32(0), le32(0), le32(offset ?? 54 + palette.length), info, palette, data);
}

export const bmpBombs: readonly PictureBomb[] = [
  {
    name: "bmp: 4294967295 x 4294967295 in 54 bytes",
    outcome: "IMAGE_TOO_LARGE",
    make: () => bmp({ width: 2 ** 32 - 1, height: 2 ** 31 }, new Uint8Array(0)),
  },
  {
    name: "bmp: 7000 x 7000 in 54 bytes",
    outcome: "IMAGE_TOO_LARGE",
    make: () => bmp({ width: 7000, height: 7000 }, new Uint8Array(0)),
  },
  {
    name: "bmp: 7000 x 7000, run-length coded, jumps of 255 rows, 1200 bytes",
    outcome: "IMAGE_TOO_LARGE",
    make: () => bmp({ width: 7000, height: 7000, bits: 8, compression: 1 }, repeat([0, 2, 0, 255], 30)),
  },
  {
    name: "bmp: 7000 x 7000, run-length coded, 400 kB of which give 100 pixels",
    outcome: "IMAGE_CORRUPT",
    make: () => bmp({ width: 7000, height: 7000, bits: 8, compression: 1 }, repeat([0, 2, 0, 0], 100_000)),
  },
  {
    name: "bmp: 1000 x 1000, 4 MB of run-length codes that give nothing",
    outcome: "IMAGE_CORRUPT",
    make: () => bmp({ width: 1000, height: 1000, bits: 8, compression: 1 }, repeat([0, 2, 0, 0], 1_000_000)),
  },
  {
    name: "bmp: 7000 x 7000, 500 kB of the 147 MB of rows are there",
    outcome: "IMAGE_CORRUPT",
    make: () => bmp({ width: 7000, height: 7000 }, new Uint8Array(500_000)),
  },
  {
    name: "bmp: the rows begin at byte 4294967295",
    outcome: "IMAGE_CORRUPT",
    make: () => bmp({ width: 100, height: 100, offset: 2 ** 32 - 1 }, new Uint8Array(30_000)),
  },
  {
    name: "bmp: a palette of 4294967295 colours",
    outcome: "IMAGE_CORRUPT",
    make: () => {
      const bytes = bmp({ width: 100, height: 100, bits: 8 }, new Uint8Array(10_000));
      bytes.set(le32(2 ** 32 - 1), 46);
      return bytes;
    },
  },
];
