import { viewBytes } from "./byte-view.ts";
import { type PngHeader, pngColour, pngSignatureBytes, readPngChunk } from "./header-png.ts";
import { corruptImage } from "./image-errors.ts";

/** What stands in a PNG behind its header. */
export interface PngBody {
  /** Red, green, blue of each colour; empty without PLTE. */
  readonly palette: Uint8Array;
  /** The data of all IDAT. */
  readonly compressed: Uint8Array;
}

/**
 * Walks the chunks up to IEND (PNG specification, 5.6). Others than PLTE and IDAT are stepped over: what they hold
 * compressed is never inflated.
 * @throws EmbedError `IMAGE_CORRUPT`
 */
export function readPngBody(bytes: Uint8Array, header: PngHeader): PngBody {
  let palette: Uint8Array | undefined;
  let compressed: Uint8Array | undefined;
  let firstData = 0;
  let pieces = 0;
  let dataBytes = 0;
  let end = pngSignatureBytes;
  for (;;) {
    const { type, data } = readPngChunk(bytes, end);
    if (type === "IEND") break;
    if (type === "IDAT") {
      if (pieces++ === 0) firstData = end;
      dataBytes += data.length;
      compressed = data;
    }
    if (type === "PLTE") palette = data;
    end += 12 + data.length;
  }
  if (!compressed) throw corruptImage("png", "expected a chunk IDAT, got none");
  if (header.colourType === pngColour.palette && !palette) {
    throw corruptImage("png", "expected a chunk PLTE, got none");
  }
  if (pieces > 1) compressed = joinData(bytes, firstData, end, dataBytes);
  return { palette: palette ?? new Uint8Array(0), compressed };
}

/** The name IDAT as a number. */
const idat = 0x49444154;

/** Walks the chunks a second time: a file may have millions of IDAT, so none is kept by the first. */
function joinData(bytes: Uint8Array, start: number, end: number, dataBytes: number): Uint8Array {
  const view = viewBytes(bytes);
  const joined = new Uint8Array(dataBytes);
  let filled = 0;
  for (let offset = start; offset < end; ) {
    const length = view.getUint32(offset);
    if (length > 0 && view.getUint32(offset + 4) === idat) {
      joined.set(bytes.subarray(offset + 8, offset + 8 + length), filled);
      filled += length;
    }
    offset += 12 + length;
  }
  return joined;
}
