import { crc32 } from "node:zlib";

/** Where the lengths, sizes and markers of an encoded picture lie; damage there reaches further than elsewhere. */
export function findStructure(bytes: Uint8Array, kind: string): readonly number[] {
  if (kind === "png") return findChunks(bytes, 8, true);
  if (kind === "webp") return findChunks(bytes, 12, false);
  if (kind === "jpeg") return findJpegMarkers(bytes);
  if (kind === "tiff") return findTiffDirectory(bytes);
  if (kind === "gif") return findGifBlocks(bytes);
  return [0];
}

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** PNG's chunks begin with their length, RIFF's with their name; PNG's end with a checksum. */
function findChunks(bytes: Uint8Array, start: number, isPng: boolean): number[] {
  const view = viewOf(bytes);
  const found: number[] = [];
  for (let offset = start; offset + 8 <= bytes.length; ) {
    found.push(offset, Math.min(offset + 8, bytes.length - 1));
    const length = view.getUint32(offset + (isPng ? 0 : 4), !isPng);
    offset += isPng ? 12 + length : 8 + length + (length % 2);
  }
  return found;
}

function findJpegMarkers(bytes: Uint8Array): number[] {
  const found: number[] = [];
  for (let i = 0; i + 1 < bytes.length; i++) {
    if (bytes[i] === 0xff && bytes[i + 1] !== 0) found.push(i);
  }
  return found;
}

function findTiffDirectory(bytes: Uint8Array): number[] {
  if (bytes.length < 10) return [0];
  const littleEndian = bytes[0] === 0x49;
  const start = viewOf(bytes).getUint32(4, littleEndian);
  if (start + 2 > bytes.length) return [4];
  const entries = viewOf(bytes).getUint16(start, littleEndian);
  const found = [4, start];
  for (let i = 0; i < entries && start + 14 + 12 * i <= bytes.length; i++) found.push(start + 2 + 12 * i);
  return found;
}

function findGifBlocks(bytes: Uint8Array): number[] {
  const found = [6, 10, 13];
  for (let i = 13; i < bytes.length; i++) {
    if (bytes[i] === 0x2c || bytes[i] === 0x21) found.push(i);
  }
  return found;
}

/**
 * Puts right what would have a damaged file refused at its door: PNG's checksums, and the length of WebP's container.
 * Works in place.
 */
export function repairEnvelope(bytes: Uint8Array, kind: string): void {
  const view = viewOf(bytes);
  if (kind === "webp" && bytes.length >= 12) view.setUint32(4, bytes.length - 8, true);
  if (kind !== "png") return;
  for (let offset = 8; offset + 12 <= bytes.length; ) {
    const end = offset + 8 + view.getUint32(offset);
    if (end + 4 > bytes.length) return;
    view.setUint32(end, crc32(bytes.subarray(offset + 4, end)));
    offset = end + 4;
  }
}
