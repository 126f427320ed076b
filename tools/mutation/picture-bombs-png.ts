import { deflateSync } from "node:zlib";
import { be32, deflatedZeros, join, type PictureBomb, png, pngChunk, repeat } from "./picture-bomb-parts.ts";

const data = (bytes: Uint8Array) => pngChunk("IDAT", bytes);
/** The data of a black RGB picture. */
const black = (width: number, height: number) => deflateSync(new Uint8Array((3 * width + 1) * height));
/** What a frame of an animation would be: 50,000 x 50,000, at 0, 0. */
const frameControl = (index: number) =>
  pngChunk("fcTL", join(be32(index), be32(50_000), be32(50_000), be32(0), be32(0), [0, 1, 0, 1, 0, 0]));

export const pngBombs: readonly PictureBomb[] = [
  {
    name: "png: 2147483647 x 2147483647 in 80 bytes",
    outcome: "IMAGE_TOO_LARGE",
    make: () => png(2 ** 31 - 1, 2 ** 31 - 1, [data(black(1, 1))]),
  },
  {
    name: "png: 7000 x 7000 in 80 bytes",
    outcome: "IMAGE_TOO_LARGE",
    make: () => png(7000, 7000, [data(black(1, 1))], { depth: 16, colour: 6 }),
  },
  {
    name: "png: 7000 x 7000 of 16 bits, one tenth of the data there, 40 kB",
    outcome: "IMAGE_CORRUPT",
    make: () => png(7000, 7000, [data(deflatedZeros(39))], { depth: 16, colour: 6 }),
  },
  {
    name: "png: 10 x 10, its data inflates to 1 GB",
    outcome: "IMAGE_CORRUPT",
    make: () => png(10, 10, [data(deflatedZeros(1024))]),
  },
  {
    name: "png: iCCP, zTXt and iTXt of 1 GB each",
    outcome: "decoded",
    make: () => {
      const bomb = deflatedZeros(1024);
      const texts = [
        pngChunk("iCCP", join("a\0\0", bomb)),
        pngChunk("zTXt", join("a\0\0", bomb)),
        pngChunk("iTXt", join("a\0\x01\0\0\0", bomb)),
      ];
      return png(10, 10, [...texts, data(black(10, 10))]);
    },
  },
  {
    name: "png: says that it is interlaced, and is not",
    outcome: "IMAGE_CORRUPT",
    make: () => png(1000, 1000, [data(black(1000, 1000))], { interlace: 1 }),
  },
  {
    name: "png: a palette of one colour, 1 MB of tRNS, indices up to 255",
    outcome: "decoded",
    make: () => {
      const rows = Uint8Array.from({ length: 1000 * 1001 }, (_, i) => (i % 1001 === 0 ? 0 : i));
      const chunks = [pngChunk("PLTE", Uint8Array.of(1, 2, 3)), pngChunk("tRNS", new Uint8Array(2 ** 20))];
      return png(1000, 1000, [...chunks, data(deflateSync(rows))], { colour: 3 });
    },
  },
  {
    name: "png: a million empty IDAT, 12 MB",
    outcome: "decoded",
    make: () => {
      const empty = repeat(data(new Uint8Array(0)), 1_000_000);
      return png(10, 10, [empty, data(black(10, 10))]);
    },
  },
  {
    name: "png: 300 kB of blocks that give nothing",
    outcome: "IMAGE_CORRUPT",
    make: () => png(10, 10, [data(join([0x78, 0x9c], repeat([0, 0, 0, 255, 255], 60_000)))]),
  },
  {
    name: "png: an animation of 2147483647 frames, 100,000 of them there with 50000 x 50000",
    outcome: "decoded",
    make: () => {
      const frames = Array.from({ length: 100_000 }, (_, i) => frameControl(i + 1));
      return png(10, 10, [
        pngChunk("acTL", join(be32(2 ** 31 - 1), be32(0))),
        data(black(10, 10)),
        join(...frames),
      ]);
    },
  },
];
