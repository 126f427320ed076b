import { deflateSync } from "node:zlib";
import { type PictureBomb, png, pngChunk, riff } from "./picture-bomb-parts.ts";
import { bmp } from "./picture-bombs-bmp.ts";
import { jpeg, scan } from "./picture-bombs-jpeg.ts";
import { oneStrip } from "./picture-bombs-tiff.ts";
import { flatLossless } from "./picture-bombs-webp.ts";

const side = 7000;
const size = { width: side, height: side };
const outcome = "decoded";

/** No bombs: whole pictures of 49 megapixels, just below the limit, mostly in as few bytes as can be. */
export const largestPictures: readonly PictureBomb[] = [
  { name: "jpeg", outcome, make: () => jpeg(size, scan(3, 0, 63, new Uint8Array(580_000))) },
  {
    name: "jpeg, progressive",
    outcome,
    make: () => jpeg({ ...size, progressive: true }, scan(3, 0, 0, new Uint8Array(290_000))),
  },
  {
    name: "jpeg, CMYK",
    outcome,
    make: () => jpeg({ ...size, components: 4 }, scan(4, 0, 63, new Uint8Array(770_000))),
  },
  {
    name: "png, 8 bits",
    outcome,
    make: () => png(side, side, [pngChunk("IDAT", deflateSync(new Uint8Array((3 * side + 1) * side)))]),
  },
  {
    name: "png, 16 bits with alpha",
    outcome,
    make: () => {
      const data = deflateSync(new Uint8Array((8 * side + 1) * side));
      return png(side, side, [pngChunk("IDAT", data)], { depth: 16, colour: 6 });
    },
  },
  { name: "bmp", outcome, make: () => bmp(size, new Uint8Array(3 * side * side)) },
  {
    name: "tiff, deflated",
    outcome,
    make: () => oneStrip(side, side, 8, deflateSync(new Uint8Array(3 * side * side))),
  },
  { name: "webp, lossless", outcome, make: () => riff(flatLossless(side, side, 2000)) },
];
