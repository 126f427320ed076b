import { join, le32, type PictureBomb, repeat, riff, riffChunk } from "./picture-bomb-parts.ts";

const u24 = (value: number) => le32(value).subarray(0, 3);
const extended = (flags: number, width: number, height: number) =>
  riffChunk("VP8X", join([flags, 0, 0, 0], u24(width - 1), u24(height - 1)));

/** A lossless picture of one colour: 5 codes of one symbol each, so that a pixel takes no bit (RFC 9649, 3.7.2). */
export function flatLossless(width: number, height: number, padding = 0): Uint8Array {
  const bits = (width - 1) | ((height - 1) << 14);
  // No transform, no colour cache, no meta codes; each code: simple, one symbol, of one bit, 0.
  return riffChunk(
    "VP8L",
    join([0x2f], le32(bits), [0b10001000, 0b10001000, 0b1000, 0, 0], new Uint8Array(padding)),
  );
}

/** A lossy key frame of which the header alone is right. */
const lossy = (width: number, height: number, data: Uint8Array) =>
  riffChunk("VP8 ", join([0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a], le32(width | (height << 16)), data));

const frame = (width: number, height: number, ...chunks: readonly Uint8Array[]) =>
  riffChunk("ANMF", join(u24(0), u24(0), u24(width - 1), u24(height - 1), u24(100), [0], ...chunks));

const animation = riffChunk("ANIM", new Uint8Array(6));

export const webpBombs: readonly PictureBomb[] = [
  {
    name: "webp: a canvas of 16777216 x 16777216 in 80 bytes",
    outcome: "IMAGE_TOO_LARGE",
    make: () => riff(extended(2, 2 ** 24, 2 ** 24), animation, frame(10, 10, flatLossless(10, 10))),
  },
  {
    name: "webp: a canvas of 7000 x 7000 in 80 bytes",
    outcome: "IMAGE_TOO_LARGE",
    make: () => riff(extended(2, 7000, 7000), animation, frame(10, 10, flatLossless(10, 10))),
  },
  {
    name: "webp: a canvas of 16777216 x 16777216 around a still picture of 10 x 10",
    outcome: "IMAGE_CORRUPT",
    make: () => riff(extended(0, 2 ** 24, 2 ** 24), flatLossless(10, 10)),
  },
  {
    name: "webp: lossless, 16384 x 16384 in 30 bytes",
    outcome: "IMAGE_TOO_LARGE",
    make: () => riff(flatLossless(16384, 16384)),
  },
  {
    name: "webp: lossless, 7000 x 7000 in 30 bytes",
    outcome: "IMAGE_TOO_LARGE",
    make: () => riff(flatLossless(7000, 7000)),
  },
  {
    name: "webp: lossy, 7000 x 7000 in 40 bytes",
    outcome: "IMAGE_TOO_LARGE",
    make: () => riff(lossy(7000, 7000, new Uint8Array(20))),
  },
  {
    name: "webp: lossy, 7000 x 7000, 20 kB that end in its first rows",
    outcome: "IMAGE_CORRUPT",
    make: () => riff(lossy(7000, 7000, new Uint8Array(20_000))),
  },
  {
    name: "webp: lossless, 1400 x 1400, 1 MB after the picture's end",
    outcome: "decoded",
    make: () => riff(flatLossless(1400, 1400, 2 ** 20)),
  },
  {
    name: "webp: a chunk of 4294967295 bytes",
    outcome: "IMAGE_CORRUPT",
    make: () => riff(join("VP8L", le32(2 ** 32 - 1), new Uint8Array(100))),
  },
  {
    name: "webp: a container of 4294967295 bytes",
    outcome: "IMAGE_CORRUPT",
    make: () => join("RIFF", le32(2 ** 32 - 1), "WEBP", flatLossless(10, 10)),
  },
  {
    name: "webp: a million chunks of no known kind, 8 MB",
    outcome: "IMAGE_CORRUPT",
    make: () => riff(extended(0, 10, 10), repeat(riffChunk("JUNK", []), 1_000_000)),
  },
  {
    name: "webp: 100,000 frames of 16777216 x 16777216 after the first",
    outcome: "decoded",
    make: () => {
      const later = frame(2 ** 24, 2 ** 24, flatLossless(10, 10));
      return riff(
        extended(2, 10, 10),
        animation,
        frame(10, 10, flatLossless(10, 10)),
        repeat(later, 100_000),
      );
    },
  },
  {
    name: "webp: a thousand frames, each in the last one",
    outcome: "IMAGE_CORRUPT",
    make: () => {
      let nested = frame(10, 10, flatLossless(10, 10));
      for (let depth = 0; depth < 1000; depth++) nested = frame(10, 10, nested);
      return riff(extended(2, 10, 10), animation, nested);
    },
  },
];
