import { join, le16, type PictureBomb, repeat } from "./picture-bomb-parts.ts";

/** Screen, a palette of two colours, then the parts. */
const gif = (width: number, height: number, ...parts: readonly Uint8Array[]) =>
  join("GIF89a", le16(width), le16(height), [0xf0, 0, 0], [0, 0, 0, 255, 255, 255], ...parts, ";");

function frame(width: number, height: number, codeSize: number, data: Uint8Array): Uint8Array {
  const blocks: Uint8Array[] = [];
  for (let i = 0; i < data.length; i += 255) {
    const block = data.subarray(i, i + 255);
    blocks.push(join([block.length], block));
  }
  return join(",", le16(0), le16(0), le16(width), le16(height), [0, codeSize], ...blocks, [0]);
}

/** Codes of 3 bits: clear, 0, end. */
const onePixel = frame(1, 1, 2, Uint8Array.of(0b01000100, 0b1));

export const gifBombs: readonly PictureBomb[] = [
  {
    name: "gif: a canvas of 65535 x 65535 in 50 bytes",
    outcome: "IMAGE_TOO_LARGE",
    make: () => gif(65535, 65535, onePixel),
  },
  {
    name: "gif: a canvas of 7000 x 7000 in 50 bytes",
    outcome: "IMAGE_TOO_LARGE",
    make: () => gif(7000, 7000, onePixel),
  },
  {
    name: "gif: a frame of 65535 x 65535 on a canvas of 1 x 1",
    outcome: "IMAGE_TOO_LARGE",
    make: () => gif(1, 1, frame(65535, 65535, 2, Uint8Array.of(0b01000100, 0b1))),
  },
  {
    name: "gif: 7000 x 7000, 20 kB of data end after 13,000 pixels",
    outcome: "IMAGE_CORRUPT",
    // Codes of 12 bits: 0, and "clear" after each.
    make: () => gif(7000, 7000, frame(7000, 7000, 11, repeat([0, 0, 0x80], 6667))),
  },
  {
    name: "gif: 10 x 10, 1 MB of clear codes",
    outcome: "IMAGE_CORRUPT",
    // Codes of 12 bits, each of them 2048.
    make: () => gif(10, 10, frame(10, 10, 11, repeat([0x00, 0x08, 0x80], 350_000))),
  },
  {
    name: "gif: 1000 x 1000, the longest strings that the codes can name",
    outcome: "IMAGE_CORRUPT",
    // Codes that name the entry being defined: each string is one longer than the last, until the data ends.
    make: () => gif(1000, 1000, frame(1000, 1000, 2, risingCodes(1200))),
  },
  {
    name: "gif: a million extensions before the first frame, 4 MB",
    outcome: "decoded",
    make: () =>
      gif(10, 10, repeat([0x21, 0xfe, 0], 1_000_000), frame(1, 1, 2, Uint8Array.of(0b01000100, 0b1))),
  },
  {
    name: "gif: a million frames of 65535 x 65535 after the first, 16 MB",
    outcome: "decoded",
    make: () =>
      gif(10, 10, onePixel, repeat(frame(65535, 65535, 2, Uint8Array.of(0b01000100, 0b1)), 1_000_000)),
  },
];

/** Clear, 0, then each time the code that is defined next. */
function risingCodes(count: number): Uint8Array {
  const bits: number[] = [];
  const put = (code: number, size: number) => {
    for (let bit = 0; bit < size; bit++) bits.push((code >> bit) & 1);
  };
  put(4, 3);
  put(0, 3);
  let size = 3;
  for (let code = 6; code < 6 + count; code++) {
    put(code, size);
    if (code + 1 === 1 << size && size < 12) size++;
  }
  return Uint8Array.from({ length: bits.length >> 3 }, (_, i) =>
    bits.slice(8 * i, 8 * i + 8).reduce((byte, bit, place) => byte | (bit << place), 0),
  );
}
