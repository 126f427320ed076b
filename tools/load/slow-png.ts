import { crc32 } from "node:zlib";
import { flatPng } from "./flat-png.ts";

/** A thread decodes 25 megapixels for half a second or more. */
const side = 5_000;

/** A grey PNG of 32 KB that takes long to decode. */
export const slowPng = (tone: number): Uint8Array => flatPng(side, side, tone);

let broken: Uint8Array | undefined;

/** The same, but for the checksum at the end of its pixels: it fails once they are decoded. */
export function slowBrokenPng(): Uint8Array {
  broken ??= breakPixels();
  return broken;
}

function breakPixels(): Uint8Array {
  const png = Buffer.from(slowPng(0));
  // Signature and IHDR take 33 bytes; then length, type, data and CRC of IDAT (PNG, 5.3).
  const start = 33 + 4;
  const end = start + 4 + png.readUInt32BE(33);
  png.writeUInt8(png.readUInt8(end - 1) ^ 1, end - 1);
  png.writeUInt32BE(crc32(png.subarray(start, end)), end);
  return Uint8Array.from(png);
}
