import { assertReaches, viewBytes } from "./byte-view.ts";
import { corruptImage } from "./image-errors.ts";
import type { ImageHeader } from "./pixels.ts";

/** The first frame of a GIF and where its parts lie; the size is the canvas's. */
export interface GifHeader extends ImageHeader {
  readonly format: "gif";
  readonly frame: { readonly x: number; readonly y: number; readonly width: number; readonly height: number };
  readonly interlaced: boolean;
  /** The colours in use, three bytes each; without any, an index is a grey level. */
  readonly palette: Uint8Array | undefined;
  /** From the frame's graphic control extension. */
  readonly transparentIndex: number | undefined;
  /** Where the LZW minimum code size lies; the data's sub-blocks follow it. */
  readonly dataOffset: number;
}

/** What opens a block (GIF89a specification, appendix A). */
export const gifBlock = { extension: 0x21, image: 0x2c, trailer: 0x3b } as const;
const graphicControl = 0xf9;

/**
 * Reads a GIF up to the data of its first frame (GIF89a specification, 18 to 23). As Pillow does, it enlarges
 * the canvas to hold a frame that reaches past it.
 * @throws EmbedError `IMAGE_CORRUPT`
 */
export function readGifHeader(bytes: Uint8Array): GifHeader {
  assertReaches(bytes, 13, "gif", "the logical screen descriptor");
  const view = viewBytes(bytes);
  const screenWidth = view.getUint16(6, true);
  const screenHeight = view.getUint16(8, true);
  const globalPalette = readPalette(bytes, 13, view.getUint8(10), "the global colour table");
  let transparentIndex: number | undefined;

  // Bytes between blocks that open no block are skipped, as Pillow skips them.
  for (let offset = globalPalette.end; offset < bytes.length; ) {
    const type = bytes[offset++];
    if (type === gifBlock.trailer) break;
    if (type === gifBlock.extension) {
      if (bytes[offset] === graphicControl && bytes[offset + 1]! >= 4) {
        assertReaches(bytes, offset + 6, "gif", "the graphic control extension");
        if (bytes[offset + 2]! & 1) transparentIndex = bytes[offset + 5];
      }
      offset = skipGifSubBlocks(bytes, offset + 1);
    }
    if (type !== gifBlock.image) continue;

    assertReaches(bytes, offset + 10, "gif", "the image descriptor");
    const frame = {
      x: view.getUint16(offset, true),
      y: view.getUint16(offset + 2, true),
      width: view.getUint16(offset + 4, true),
      height: view.getUint16(offset + 6, true),
    };
    if (frame.width === 0 || frame.height === 0) {
      throw corruptImage("gif", `expected a frame of at least 1 x 1, got ${frame.width} x ${frame.height}`);
    }
    const flags = view.getUint8(offset + 8);
    const localPalette = readPalette(bytes, offset + 9, flags, "the local colour table");
    return {
      format: "gif",
      width: Math.max(screenWidth, frame.x + frame.width),
      height: Math.max(screenHeight, frame.y + frame.height),
      frame,
      interlaced: (flags & 0x40) !== 0,
      palette: localPalette.palette ?? globalPalette.palette,
      transparentIndex,
      dataOffset: localPalette.end,
    };
  }
  throw corruptImage("gif", "expected a frame, the file ends without one");
}

function readPalette(bytes: Uint8Array, offset: number, flags: number, what: string) {
  if ((flags & 0x80) === 0) return { palette: undefined, end: offset };
  const end = offset + 3 * (2 << (flags & 7));
  assertReaches(bytes, end, "gif", what);
  return { palette: bytes.subarray(offset, end), end };
}

/** Where the sub-blocks that begin at `start` have ended. */
export function skipGifSubBlocks(bytes: Uint8Array, start: number): number {
  let offset = start;
  while (offset < bytes.length && bytes[offset] !== 0) offset += 1 + bytes[offset]!;
  return offset + 1;
}
