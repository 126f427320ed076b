import { be16, join, jpegSegment, type PictureBomb, repeat } from "./picture-bomb-parts.ts";

/** Each table has the codes 0, 10 and 110 at most. */
const huffmanTable = (target: number, ...symbols: readonly number[]) =>
  jpegSegment(0xc4, [
    target,
    ...Array.from({ length: 16 }, (_, i) => (i < symbols.length ? 1 : 0)),
    ...symbols,
  ]);

interface Shape {
  readonly width: number;
  readonly height: number;
  readonly components?: 1 | 3 | 4;
  readonly progressive?: boolean;
  /** Sampling factors of the first component; the others have 1 x 1. */
  readonly sampling?: number;
}

/** A JPEG of flat blocks, whose parts stand between its tables and its end. */
export function jpeg(
  { width, height, components = 3, progressive = false, sampling = 0x11 }: Shape,
  ...parts: Uint8Array[]
) {
  const frame = Array.from({ length: components }, (_, i) => [i + 1, i === 0 ? sampling : 0x11, 0]).flat();
  return join(
    [0xff, 0xd8],
    jpegSegment(0xdb, [0, ...Array<number>(64).fill(1)]),
    jpegSegment(progressive ? 0xc2 : 0xc0, join([8], be16(height), be16(width), [components], frame)),
    huffmanTable(0x00, 0),
    huffmanTable(0x10, 0, 0xe0),
    ...parts,
    [0xff, 0xd9],
  );
}

export function scan(components: number, from = 0, to = 63, data: Uint8Array = Uint8Array.of(0)): Uint8Array {
  const ids = Array.from({ length: components }, (_, i) => [i + 1, 0]).flat();
  return join(jpegSegment(0xda, [components, ...ids, from, to, 0]), data);
}

const comments = (bytes: number) => repeat(jpegSegment(0xfe, new Uint8Array(996)), bytes / 1000);

export const jpegBombs: readonly PictureBomb[] = [
  {
    name: "jpeg: 65535 x 65535 in 200 bytes",
    outcome: "IMAGE_TOO_LARGE",
    make: () => jpeg({ width: 65535, height: 65535 }, scan(3)),
  },
  {
    name: "jpeg: 7000 x 7000 in 200 bytes",
    outcome: "IMAGE_TOO_LARGE",
    make: () => jpeg({ width: 7000, height: 7000 }, scan(3)),
  },
  {
    name: "jpeg: 7000 x 7000, progressive, in 90 kB of comments",
    outcome: "IMAGE_TOO_LARGE",
    make: () => jpeg({ width: 7000, height: 7000, progressive: true }, comments(90_000), scan(3, 0, 0)),
  },
  {
    name: "jpeg: 7000 x 7000 in CMYK, sampled 4 x 4, in 200 bytes",
    outcome: "IMAGE_TOO_LARGE",
    make: () => jpeg({ width: 7000, height: 7000, components: 4, sampling: 0x44 }, scan(4)),
  },
  {
    name: "jpeg: 64 x 64, progressive, 101 scans",
    outcome: "IMAGE_CORRUPT",
    make: () => jpeg({ width: 64, height: 64, progressive: true }, repeat(scan(3, 0, 0), 101)),
  },
  {
    name: "jpeg: 7000 x 7000, progressive, 99 scans over all blocks, 100 kB",
    outcome: "IMAGE_UNSUPPORTED",
    make: () =>
      jpeg({ width: 7000, height: 7000, progressive: true }, comments(100_000), repeat(scan(3, 0, 0), 99)),
  },
  {
    name: "jpeg: 2 MB of restart markers, one due after each block",
    outcome: "decoded",
    make: () =>
      jpeg(
        { width: 1000, height: 1000 },
        jpegSegment(0xdd, [0, 1]),
        scan(3, 0, 63, repeat([0xff, 0xd0], 1_000_000)),
      ),
  },
  {
    name: "jpeg: 2 MB of Huffman tables that none uses",
    outcome: "decoded",
    make: () => jpeg({ width: 64, height: 64 }, repeat(huffmanTable(0x13, 0, 1, 2), 90_000), scan(3)),
  },
  {
    name: "jpeg: a million empty segments, 4 MB",
    outcome: "decoded",
    make: () => jpeg({ width: 64, height: 64 }, repeat(jpegSegment(0xfe, []), 1_000_000), scan(3)),
  },
  {
    name: "jpeg: a million second pictures after its end, 4 MB",
    outcome: "decoded",
    make: () => join(jpeg({ width: 64, height: 64 }, scan(3)), repeat([0xff, 0xd8, 0xff, 0xd9], 1_000_000)),
  },
];
