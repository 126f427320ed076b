import { crc32 } from "./crc32.ts";
import type { Pixels } from "./pixels.ts";
import { filterPngRow } from "./png-filter.ts";

/** Compresses to a zlib stream (RFC 1950); the host has it. */
export type Deflate = (bytes: Uint8Array) => Uint8Array | Promise<Uint8Array>;

const signature = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
/** Length, type and CRC of a chunk (PNG specification, 5.3). */
const chunkFramingBytes = 12;
const headerBytes = 13;

/**
 * Writes pixels as PNG, without loss: 8 bits a sample, colour type 2, not interlaced; grey pixels as colour type 0.
 * `decodePng`, as any other decoder, gives the same pixels back.
 * @param pixels (height, width, 3) uint8 RGB, of at least one pixel
 */
export async function writePng(pixels: Pixels, deflate: Deflate): Promise<Uint8Array<ArrayBuffer>> {
  const { width, height } = pixels;
  const isGrey = hasOnlyGrey(pixels.data);
  const header = new Uint8Array(headerBytes);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  // Bit depth, colour type, compression, filter, interlace (11.2.1).
  header.set([8, isGrey ? 0 : 2, 0, 0, 0], 8);
  const data = isGrey ? firstOfThree(pixels.data) : pixels.data;
  const rows = filterRows(data, width * (isGrey ? 1 : 3), height, isGrey ? 1 : 3);
  return joinChunks([
    ["IHDR", header],
    ["IDAT", await deflate(rows)],
    ["IEND", new Uint8Array(0)],
  ]);
}

function hasOnlyGrey(data: Uint8Array): boolean {
  for (let i = 0; i < data.length; i += 3) {
    if (data[i] !== data[i + 1] || data[i] !== data[i + 2]) return false;
  }
  return true;
}

function firstOfThree(data: Uint8Array): Uint8Array {
  const first = new Uint8Array(data.length / 3);
  for (let i = 0; i < first.length; i++) first[i] = data[i * 3]!;
  return first;
}

/** Each row behind the number of its filter (clause 9). */
function filterRows(data: Uint8Array, rowBytes: number, height: number, pixelBytes: number): Uint8Array {
  const rows = new Uint8Array((rowBytes + 1) * height);
  let above: Uint8Array = new Uint8Array(rowBytes);
  for (let y = 0; y < height; y++) {
    const row = data.subarray(y * rowBytes, (y + 1) * rowBytes);
    const at = y * (rowBytes + 1);
    rows[at] = filterPngRow(row, above, pixelBytes, rows.subarray(at + 1, at + 1 + rowBytes));
    above = row;
  }
  return rows;
}

function joinChunks(chunks: readonly (readonly [type: string, data: Uint8Array])[]): Uint8Array<ArrayBuffer> {
  const length = chunks.reduce((sum, [, data]) => sum + chunkFramingBytes + data.length, signature.length);
  const png = new Uint8Array(length);
  const view = new DataView(png.buffer);
  png.set(signature);
  let at = signature.length;
  for (const [type, data] of chunks) {
    view.setUint32(at, data.length);
    for (let i = 0; i < 4; i++) png[at + 4 + i] = type.charCodeAt(i);
    png.set(data, at + 8);
    const end = at + 8 + data.length;
    view.setUint32(end, crc32(png.subarray(at + 4, end)));
    at = end + 4;
  }
  return png;
}
