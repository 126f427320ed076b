import { assertReaches, readFourCc, viewBytes } from "./byte-view.ts";
import { crc32 } from "./crc32.ts";
import { corruptImage } from "./image-errors.ts";
import type { ImageHeader } from "./pixels.ts";

/** Colour types of the PNG specification, 11.2.1. */
export const pngColour = { grey: 0, rgb: 2, palette: 3, greyAlpha: 4, rgba: 6 } as const;

/** Bit depths that each colour type may have, and its samples a pixel. */
const colourTypes: ReadonlyMap<number, { readonly depths: readonly number[]; readonly channels: number }> =
  new Map([
    [pngColour.grey, { depths: [1, 2, 4, 8, 16], channels: 1 }],
    [pngColour.rgb, { depths: [8, 16], channels: 3 }],
    [pngColour.palette, { depths: [1, 2, 4, 8], channels: 1 }],
    [pngColour.greyAlpha, { depths: [8, 16], channels: 2 }],
    [pngColour.rgba, { depths: [8, 16], channels: 4 }],
  ]);

export interface PngHeader extends ImageHeader {
  readonly format: "png";
  /** Bits a sample: 1, 2, 4, 8 or 16. */
  readonly bitDepth: number;
  readonly colourType: number;
  /** Samples a pixel: 1 to 4. */
  readonly channels: number;
  /** Adam7. */
  readonly interlaced: boolean;
}

export const pngSignatureBytes = 8;

/** One chunk, its checksum proven; `data` is a view. */
export interface PngChunk {
  readonly type: string;
  readonly data: Uint8Array;
}

/**
 * The chunk at `offset` (PNG specification, 5.3); the next one begins at `offset + 12 + data.length`.
 * @throws EmbedError `IMAGE_CORRUPT` for a chunk that the file cuts short or whose checksum is wrong
 */
export function readPngChunk(bytes: Uint8Array, offset: number): PngChunk {
  assertReaches(bytes, offset + 8, "png", "a chunk's head");
  const type = readFourCc(bytes, offset + 4);
  const end = offset + 8 + readUint32(bytes, offset);
  if (bytes.length < end + 4) assertReaches(bytes, end + 4, "png", `chunk ${type}`);
  const expected = readUint32(bytes, end);
  const actual = crc32(bytes.subarray(offset + 4, end));
  if (expected !== actual) {
    throw corruptImage(
      "png",
      `chunk ${type} should have the checksum ${hex(expected)}, it has ${hex(actual)}`,
    );
  }
  return { type, data: bytes.subarray(offset + 8, end) };
}

/** Big-endian. Not by a DataView: a file may have millions of chunks, and each would make one. */
function readUint32(bytes: Uint8Array, offset: number): number {
  const low = (bytes[offset + 1]! << 16) | (bytes[offset + 2]! << 8) | bytes[offset + 3]!;
  return bytes[offset]! * 2 ** 24 + low;
}

function hex(value: number): string {
  return value.toString(16).padStart(8, "0");
}

/**
 * Reads IHDR (PNG specification, 11.2.1), which must come first.
 * @throws EmbedError `IMAGE_CORRUPT`
 */
export function readPngHeader(bytes: Uint8Array): PngHeader {
  const chunk = readPngChunk(bytes, pngSignatureBytes);
  if (chunk.type !== "IHDR" || chunk.data.length !== 13) {
    throw corruptImage("png", `expected IHDR of 13 bytes first, got ${chunk.type} of ${chunk.data.length}`);
  }
  const view = viewBytes(chunk.data);
  const width = view.getUint32(0);
  const height = view.getUint32(4);
  const bitDepth = view.getUint8(8);
  const colourType = view.getUint8(9);
  const compression = view.getUint8(10);
  const filter = view.getUint8(11);
  const interlace = view.getUint8(12);
  if (width === 0 || height === 0 || width > 0x7fffffff || height > 0x7fffffff) {
    throw corruptImage("png", `expected a width and a height of 1 to 2147483647, got ${width} x ${height}`);
  }
  const colour = colourTypes.get(colourType);
  if (!colour?.depths.includes(bitDepth)) {
    throw corruptImage("png", `no PNG has colour type ${colourType} with ${bitDepth} bits a sample`);
  }
  if (compression !== 0 || filter !== 0 || interlace > 1) {
    throw corruptImage(
      "png",
      `expected compression 0, filter 0 and interlace 0 or 1, got ${compression}, ${filter} and ${interlace}`,
    );
  }
  return {
    format: "png",
    width,
    height,
    bitDepth,
    colourType,
    channels: colour.channels,
    interlaced: interlace === 1,
  };
}
