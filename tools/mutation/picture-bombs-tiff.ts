import { deflateSync } from "node:zlib";
import { deflatedZeros, join, le16, le32, type PictureBomb, repeat } from "./picture-bomb-parts.ts";

type Tag = readonly [
  tag: number,
  values: readonly number[] | { readonly count: number; readonly start: number },
];

const none = 1;
const lzw = 5;
const deflate = 8;
const headBytes = 8;

/** A little-endian TIFF: directory, lists of values, then `data`, which `dataAt` finds. All values are of 32 bits. */
function tiff(tags: (dataAt: number) => readonly Tag[], data: Uint8Array): Uint8Array {
  const listBytes = (list: readonly Tag[]) =>
    list.reduce(
      (sum, [, values]) => sum + ("count" in values || values.length === 1 ? 0 : 4 * values.length),
      0,
    );
  const directoryBytes = 2 + 12 * tags(0).length + 4;
  const dataAt = headBytes + directoryBytes + listBytes(tags(0));
  const entries: Uint8Array[] = [];
  const lists: Uint8Array[] = [];
  let listAt = headBytes + directoryBytes;
  for (const [tag, values] of tags(dataAt)) {
    const count = "count" in values ? values.count : values.length;
    const isList = !("count" in values) && values.length > 1;
    const value = "count" in values ? values.start : isList ? listAt : values[0]!;
    entries.push(join(le16(tag), le16(4), le32(count), le32(value)));
    if (!isList) continue;
    lists.push(new Uint8Array(Uint32Array.from(values).buffer));
    listAt += 4 * values.length;
  }
  return join("II*\0", le32(8), le16(entries.length), ...entries, le32(8), ...lists, data);
}

/** The tags of an RGB picture of 8 bits a sample. */
const rgb = (width: number, height: number, compression: number, ...more: readonly Tag[]): readonly Tag[] => [
  [256, [width]],
  [257, [height]],
  [258, [8]],
  [259, [compression]],
  [262, [2]],
  [277, [3]],
  ...more,
];

/** One strip. */
export const oneStrip = (width: number, height: number, compression: number, data: Uint8Array) =>
  tiff((at) => rgb(width, height, compression, [273, [at]], [278, [height]], [279, [data.length]]), data);

/** As many strips as rows, all of them the same bytes. */
const sharedStrips = (width: number, height: number, compression: number, data: Uint8Array) =>
  tiff((at) => {
    const all = (value: number) => Array<number>(height).fill(value);
    return rgb(width, height, compression, [273, all(at)], [278, [1]], [279, all(data.length)]);
  }, data);

const tiles = (side: number, width: number, height: number, data: Uint8Array) =>
  tiff(
    (at) => rgb(width, height, deflate, [322, [side]], [323, [side]], [324, [at]], [325, [data.length]]),
    data,
  );

const few = new Uint8Array(110);

export const tiffBombs: readonly PictureBomb[] = [
  {
    name: "tiff: 4294967295 x 4294967295 in 300 bytes",
    outcome: "IMAGE_TOO_LARGE",
    make: () => oneStrip(2 ** 32 - 1, 2 ** 32 - 1, none, few),
  },
  {
    name: "tiff: 7000 x 7000 in 300 bytes",
    outcome: "IMAGE_TOO_LARGE",
    make: () => oneStrip(7000, 7000, none, few),
  },
  {
    name: "tiff: 7000 x 7000, one tenth of the deflated data there, 20 kB",
    outcome: "IMAGE_CORRUPT",
    make: () => oneStrip(7000, 7000, deflate, join(deflatedZeros(14), new Uint8Array(6000))),
  },
  {
    name: "tiff: 10 x 10, a strip that inflates to 1 GB",
    outcome: "decoded",
    make: () => oneStrip(10, 10, deflate, deflatedZeros(1024)),
  },
  {
    name: "tiff: strips that share 1 MB of LZW clear codes",
    outcome: "IMAGE_UNSUPPORTED",
    make: () => sharedStrips(30, 20_000, lzw, join(repeat([128, 64, 32, 16, 8, 4, 2, 1, 0], 110_000), few)),
  },
  {
    name: "tiff: strips that share 1 MB of empty blocks",
    outcome: "IMAGE_UNSUPPORTED",
    make: () => {
      const blocks = repeat([0, 0, 0, 255, 255], 200_000);
      return sharedStrips(30, 20_000, deflate, join([0x78, 0x9c], blocks, deflateSync(few).subarray(2)));
    },
  },
  {
    name: "tiff: 4294967295 strips",
    outcome: "IMAGE_CORRUPT",
    make: () =>
      tiff((at) => {
        const strips = { count: 2 ** 32 - 1, start: at };
        return rgb(100, 100, none, [273, strips], [278, [1]], [279, strips]);
      }, new Uint8Array(30_000)),
  },
  {
    name: "tiff: a strip for each of 1,000,000 rows",
    outcome: "IMAGE_UNSUPPORTED",
    make: () => sharedStrips(2, 1_000_000, none, few),
  },
  {
    name: "tiff: a tile of 65535 x 65535 for 10 x 10 pixels",
    outcome: "IMAGE_UNSUPPORTED",
    make: () => tiles(65535, 10, 10, deflatedZeros(1)),
  },
  {
    name: "tiff: a tile of 4294967295 x 4294967295",
    outcome: "IMAGE_UNSUPPORTED",
    make: () => tiles(2 ** 32 - 1, 10, 10, deflatedZeros(1)),
  },
  {
    name: "tiff: a strip at byte 4294967295",
    outcome: "IMAGE_CORRUPT",
    make: () =>
      tiff(
        () => rgb(100, 100, none, [273, [2 ** 32 - 1]], [278, [100]], [279, [30_000]]),
        new Uint8Array(30_000),
      ),
  },
  {
    name: "tiff: a directory of 65535 entries that is its own successor, 800 kB",
    outcome: "IMAGE_CORRUPT",
    make: () =>
      join("II*\0", le32(8), le16(65535), repeat(join(le16(1), le16(4), le32(1), le32(8)), 65535), le32(8)),
  },
  {
    name: "tiff: a directory at byte 4294967295",
    outcome: "IMAGE_CORRUPT",
    make: () => join("II*\0", le32(2 ** 32 - 1), few),
  },
];
