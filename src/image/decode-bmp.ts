import { decodeBmpRle } from "./bmp-rle.ts";
import { assertReaches } from "./byte-view.ts";
import { type BmpHeader, bmpCompression, readBmpHeader } from "./header-bmp.ts";
import { unsupportedVariant } from "./image-errors.ts";
import { readSample } from "./pack-samples.ts";
import type { Pixels } from "./pixels.ts";
import { spreadPalette } from "./spread-palette.ts";

/** Where the bytes of red, green and blue lie in a pixel. */
type ChannelOffsets = readonly [red: number, green: number, blue: number];

/** Writes the row that begins at `row[from]` into `out`, from `start` up to `end`. */
type PutRow = (row: Uint8Array, from: number, out: Uint8Array, start: number, end: number) => void;

/** The masks that Pillow takes for 32 bits a pixel, with alpha where it may be set. */
const maskOffsets32: readonly { readonly masks: readonly number[]; readonly offsets: ChannelOffsets }[] = [
  { masks: [0xff0000, 0xff00, 0xff, 0], offsets: [2, 1, 0] },
  { masks: [0xff000000, 0xff0000, 0xff00, 0], offsets: [3, 2, 1] },
  { masks: [0xff000000, 0xff00, 0xff, 0], offsets: [3, 1, 0] },
  { masks: [0xff000000, 0xff0000, 0xff00, 0xff], offsets: [3, 2, 1] },
  { masks: [0xff, 0xff00, 0xff0000, 0xff000000], offsets: [0, 1, 2] },
  { masks: [0xff0000, 0xff00, 0xff, 0xff000000], offsets: [2, 1, 0] },
  { masks: [0xff000000, 0xff00, 0xff, 0xff0000], offsets: [3, 1, 0] },
  { masks: [0, 0, 0, 0], offsets: [2, 1, 0] },
];

/**
 * Decodes a BMP of 1, 4, 8 (also run-length encoded), 16, 24 or 32 bits a pixel. Alpha is dropped.
 * @returns (height, width, 3) uint8 RGB, as Pillow's `convert("RGB")`
 * @throws EmbedError `IMAGE_CORRUPT`, or `IMAGE_UNSUPPORTED` for colour masks that Pillow does not take either
 */
export function decodeBmp(bytes: Uint8Array): Pixels {
  const header = readBmpHeader(bytes);
  const { width, height, bitsPerPixel } = header;
  const isRle = header.compression === bmpCompression.rle8 || header.compression === bmpCompression.rle4;
  const rowBytes = isRle ? width : Math.ceil((width * bitsPerPixel) / 8);
  // Rows begin at multiples of four bytes; the last one may lack its padding.
  const strideBytes = isRle ? width : Math.ceil((width * bitsPerPixel) / 32) * 4;
  const putRow = choosePutRow(header, bytes, isRle ? 8 : bitsPerPixel);

  let rows = bytes;
  let firstRow = header.dataOffset;
  if (isRle) {
    assertReaches(bytes, header.dataOffset, "bmp", "the header");
    rows = new Uint8Array(width * height);
    firstRow = 0;
    decodeBmpRle(bytes, header.dataOffset, bitsPerPixel === 4 ? 4 : 8, rows, width);
  }
  assertReaches(rows, firstRow + (height - 1) * strideBytes + rowBytes, "bmp", "the last row");

  const data = new Uint8Array(width * height * 3);
  for (let fileRow = 0; fileRow < height; fileRow++) {
    const from = firstRow + fileRow * strideBytes;
    const y = header.topDown ? fileRow : height - 1 - fileRow;
    putRow(rows, from, data, y * width * 3, (y + 1) * width * 3);
  }
  return { width, height, data };
}

function choosePutRow(header: BmpHeader, bytes: Uint8Array, bits: number): PutRow {
  if (bits <= 8) {
    const colours = readPalette(header, bytes);
    return (row, from, out, start, end) => {
      for (let i = 0, to = start; to < end; i++) {
        const colour = readSample(row, from, i, bits) * 3;
        out[to++] = colours[colour]!;
        out[to++] = colours[colour + 1]!;
        out[to++] = colours[colour + 2]!;
      }
    };
  }
  if (bits === 16) return choosePutRow16(header);
  const [red, green, blue] = findChannelOffsets(header);
  const pixelBytes = bits >> 3;
  return (row, start, out, outStart, outEnd) => {
    for (let from = start, to = outStart; to < outEnd; from += pixelBytes) {
      out[to++] = row[from + red]!;
      out[to++] = row[from + green]!;
      out[to++] = row[from + blue]!;
    }
  };
}

/** 256 colours as red, green, blue; the file has blue first. */
function readPalette({ palette }: BmpHeader, bytes: Uint8Array): Uint8Array {
  const colours = new Uint8Array(3 * Math.min(palette.colours, 256));
  for (let i = 0; 3 * i < colours.length; i++) {
    const from = palette.offset + i * palette.colourBytes;
    colours[3 * i] = bytes[from + 2]!;
    colours[3 * i + 1] = bytes[from + 1]!;
    colours[3 * i + 2] = bytes[from]!;
  }
  return spreadPalette(colours);
}

function choosePutRow16(header: BmpHeader): PutRow {
  const masks = header.masks.slice(0, 3).join();
  const is565 = masks === [0xf800, 0x7e0, 0x1f].join();
  if (!is565 && header.compression === bmpCompression.bitFields && masks !== [0x7c00, 0x3e0, 0x1f].join()) {
    throw unsupportedMasks(header);
  }
  const greenMax = is565 ? 63 : 31;
  const redShift = is565 ? 11 : 10;
  return (row, start, out, outStart, outEnd) => {
    for (let from = start, to = outStart; to < outEnd; from += 2) {
      const pixel = row[from]! | (row[from + 1]! << 8);
      out[to++] = (((pixel >> redShift) & 31) * 255) / 31;
      out[to++] = (((pixel >> 5) & greenMax) * 255) / greenMax;
      out[to++] = ((pixel & 31) * 255) / 31;
    }
  };
}

function findChannelOffsets(header: BmpHeader): ChannelOffsets {
  if (header.compression !== bmpCompression.bitFields) return [2, 1, 0];
  const masks = header.masks.join();
  const known = maskOffsets32.find((entry) =>
    header.bitsPerPixel === 32
      ? entry.masks.join() === masks
      : header.masks.slice(0, 3).join() === "16711680,65280,255",
  );
  if (!known) throw unsupportedMasks(header);
  return known.offsets;
}

function unsupportedMasks({ bitsPerPixel, masks }: BmpHeader) {
  const text = masks.map((mask) => mask.toString(16)).join(", ");
  return unsupportedVariant("bmp", `${bitsPerPixel} bits a pixel with the masks ${text}`);
}
