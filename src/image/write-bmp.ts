import type { RgbaImage } from "./wasm-codec.ts";

/** BITMAPFILEHEADER and BITMAPINFOHEADER. */
const headerBytes = 14 + 40;

/**
 * Raw pixels as an uncompressed BMP of 24 bits, so that they take the way of every other picture. Alpha is dropped, the
 * colour under it stays, as Pillow's `convert("RGB")` does it; `decodeBmp` gives the same RGB back.
 * @param image (height, width, 4) uint8 RGBA, of at least one pixel
 */
export function writeBmp({ data, width, height }: RgbaImage): Uint8Array<ArrayBuffer> {
  const strideBytes = Math.ceil((width * 3) / 4) * 4;
  const bmp = new Uint8Array(headerBytes + strideBytes * height);
  const view = new DataView(bmp.buffer);
  view.setUint16(0, 0x4d42, true);
  view.setUint32(2, bmp.length, true);
  view.setUint32(10, headerBytes, true);
  view.setUint32(14, 40, true);
  view.setInt32(18, width, true);
  // A height below zero says that the first row comes first.
  view.setInt32(22, -height, true);
  view.setUint16(26, 1, true);
  view.setUint16(28, 24, true);
  view.setUint32(34, strideBytes * height, true);
  let from = 0;
  for (let y = 0; y < height; y++) {
    let to = headerBytes + y * strideBytes;
    for (let x = 0; x < width; x++, from += 4, to += 3) {
      bmp[to] = data[from + 2] as number;
      bmp[to + 1] = data[from + 1] as number;
      bmp[to + 2] = data[from] as number;
    }
  }
  return bmp;
}
