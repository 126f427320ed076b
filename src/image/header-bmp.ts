import { assertReaches, viewBytes } from "./byte-view.ts";
import { corruptImage, unsupportedVariant } from "./image-errors.ts";
import type { ImageHeader } from "./pixels.ts";

export const bmpCompression = { none: 0, rle8: 1, rle4: 2, bitFields: 3 } as const;

export interface BmpHeader extends ImageHeader {
  readonly format: "bmp";
  /** 1, 4, 8, 16, 24 or 32. */
  readonly bitsPerPixel: number;
  readonly compression: number;
  /** The first row of the file is the top one. */
  readonly topDown: boolean;
  /** Red, green, blue, alpha; zeros without `bitFields`. */
  readonly masks: readonly [number, number, number, number];
  /** 3 or 4 bytes a colour: blue, green, red. */
  readonly palette: { readonly offset: number; readonly colours: number; readonly colourBytes: number };
  /** Where the rows begin. */
  readonly dataOffset: number;
}

const fileHeaderBytes = 14;
const coreHeaderBytes = 12;
const infoHeaderSizes: readonly number[] = [40, 52, 56, 64, 108, 124];
const bitDepths: readonly number[] = [1, 4, 8, 16, 24, 32];

/**
 * Reads BITMAPFILEHEADER and one of BITMAPCOREHEADER, BITMAPINFOHEADER to BITMAPV5HEADER, with Pillow's
 * reading of odd offsets and colour counts.
 * @throws EmbedError `IMAGE_CORRUPT`, or `IMAGE_UNSUPPORTED` for a header, depth or compression that is not taken
 */
export function readBmpHeader(bytes: Uint8Array): BmpHeader {
  assertReaches(bytes, fileHeaderBytes + 4, "bmp", "the size of the information header");
  const view = viewBytes(bytes);
  const headerBytes = view.getUint32(fileHeaderBytes, true);
  const isCore = headerBytes === coreHeaderBytes;
  if (!isCore && !infoHeaderSizes.includes(headerBytes)) {
    throw unsupportedVariant(
      "bmp",
      `a header of ${headerBytes} bytes; 12, ${infoHeaderSizes.join(", ")} are`,
    );
  }
  const headerEnd = fileHeaderBytes + headerBytes;
  assertReaches(bytes, headerEnd, "bmp", "the information header");

  const topDown = !isCore && bytes[25] === 0xff;
  const width = isCore ? view.getUint16(18, true) : view.getUint32(18, true);
  const height = isCore
    ? view.getUint16(20, true)
    : topDown
      ? -view.getInt32(22, true)
      : view.getUint32(22, true);
  const bitsPerPixel = view.getUint16(isCore ? 24 : 28, true);
  const compression = isCore ? bmpCompression.none : view.getUint32(30, true);
  const colours = (isCore ? 0 : view.getUint32(46, true)) || 2 ** bitsPerPixel;
  if (width === 0 || height === 0) {
    throw corruptImage("bmp", `expected a width and a height of at least 1, got ${width} x ${height}`);
  }
  if (!bitDepths.includes(bitsPerPixel)) {
    throw unsupportedVariant("bmp", `${bitsPerPixel} bits a pixel; ${bitDepths.join(", ")} are`);
  }
  checkCompression(compression, bitsPerPixel);

  const colourBytes = isCore ? 3 : 4;
  // A header of 40 bytes is followed by its masks; longer ones hold them.
  const hasMasks = compression === bmpCompression.bitFields;
  const paletteOffset = headerEnd + (hasMasks && headerBytes === 40 ? 12 : 0);
  if (bitsPerPixel <= 8) {
    if (colours > 65536)
      throw corruptImage("bmp", `expected a palette of at most 65536 colours, got ${colours}`);
    assertReaches(bytes, paletteOffset + colours * colourBytes, "bmp", "the palette");
  }
  return {
    format: "bmp",
    width,
    height,
    bitsPerPixel,
    compression,
    topDown,
    masks: hasMasks ? readMasks(bytes, headerBytes) : [0, 0, 0, 0],
    palette: { offset: paletteOffset, colours: bitsPerPixel <= 8 ? colours : 0, colourBytes },
    dataOffset: findData(
      view.getUint32(10, true),
      headerEnd,
      paletteOffset,
      bitsPerPixel,
      colours * colourBytes,
    ),
  };
}

function checkCompression(compression: number, bitsPerPixel: number): void {
  const { none, rle8, rle4, bitFields } = bmpCompression;
  const fits =
    compression === none ||
    (compression === rle8 && bitsPerPixel === 8) ||
    (compression === rle4 && bitsPerPixel === 4) ||
    (compression === bitFields && bitsPerPixel >= 16);
  if (!fits) throw unsupportedVariant("bmp", `compression ${compression} with ${bitsPerPixel} bits a pixel`);
}

/** The masks follow the 40 bytes that all information headers share; alpha only from 56 bytes on. */
function readMasks(bytes: Uint8Array, headerBytes: number): [number, number, number, number] {
  const hasAlpha = headerBytes >= 56;
  assertReaches(bytes, hasAlpha ? 70 : 66, "bmp", "the colour masks");
  const view = viewBytes(bytes);
  return [
    view.getUint32(54, true),
    view.getUint32(58, true),
    view.getUint32(62, true),
    hasAlpha ? view.getUint32(66, true) : 0,
  ];
}

/** Some writers give the end of the header as the data's offset, or none at all. */
function findData(
  offset: number,
  headerEnd: number,
  paletteOffset: number,
  bitsPerPixel: number,
  paletteBytes: number,
): number {
  if (bitsPerPixel > 8) return offset || paletteOffset;
  return offset === headerEnd || offset === 0 ? paletteOffset + paletteBytes : offset;
}
