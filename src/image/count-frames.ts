import { readFourCc, viewBytes } from "./byte-view.ts";
import { gifBlock, skipGifSubBlocks } from "./header-gif.ts";
import { pngSignatureBytes } from "./header-png.ts";
import type { ImageFormat } from "./pixels.ts";

/**
 * Counting stops here: one frame is decoded, so nobody needs to know how many thousands follow, and a file of
 * millions must not make the count long.
 */
export const mostCountedFrames = 1000;

type CountFrames = (bytes: Uint8Array) => number;

const counters: Readonly<Record<ImageFormat, CountFrames>> = {
  jpeg: () => 1,
  bmp: () => 1,
  png: countPngFrames,
  gif: countGifFrames,
  tiff: countTiffPages,
  webp: countWebpFrames,
};

/**
 * The frames of an animation, or the pages of a TIFF, that the file's structure shows; their data is not looked at.
 * Where the structure breaks, the count ends: only the first frame has to be whole.
 * @param bytes a file whose header has been read
 * @returns 1 to `mostCountedFrames`
 */
export function countFrames(bytes: Uint8Array, format: ImageFormat): number {
  return Math.max(1, Math.min(mostCountedFrames, counters[format](bytes)));
}

/** What acTL says, which must stand before the data (PNG specification, third edition, 11.3.6.1). */
function countPngFrames(bytes: Uint8Array): number {
  const view = viewBytes(bytes);
  let offset = pngSignatureBytes;
  for (let chunks = 0; chunks < mostCountedFrames && offset + 12 <= bytes.length; chunks++) {
    const type = readFourCc(bytes, offset + 4);
    if (type === "acTL") return view.getUint32(offset + 8);
    if (type === "IDAT") break;
    offset += 12 + view.getUint32(offset);
  }
  return 1;
}

function countGifFrames(bytes: Uint8Array): number {
  const skipTable = (flags: number) => ((flags & 0x80) === 0 ? 0 : 3 * (2 << (flags & 7)));
  let frames = 0;
  let offset = 13 + skipTable(bytes[10]!);
  // Each step passes a block, and a frame has two or three.
  for (let blocks = 0; blocks < 4 * mostCountedFrames && offset < bytes.length; blocks++) {
    const type = bytes[offset++];
    if (type === gifBlock.trailer) break;
    if (type === gifBlock.extension) offset = skipGifSubBlocks(bytes, offset + 1);
    if (type !== gifBlock.image) continue;
    frames++;
    offset = skipGifSubBlocks(bytes, offset + 10 + skipTable(bytes[offset + 8] ?? 0));
  }
  return frames;
}

/** Each directory names the next one (TIFF 6.0, section 2); one that was seen before ends the chain. */
function countTiffPages(bytes: Uint8Array): number {
  const view = viewBytes(bytes);
  const littleEndian = bytes[0] === 0x49;
  const seen = new Set<number>();
  let offset = view.getUint32(4, littleEndian);
  while (offset !== 0 && !seen.has(offset) && seen.size < mostCountedFrames && offset + 2 <= bytes.length) {
    seen.add(offset);
    const next = offset + 2 + 12 * view.getUint16(offset, littleEndian);
    if (next + 4 > bytes.length) break;
    offset = view.getUint32(next, littleEndian);
  }
  return seen.size;
}

/** ANMF chunks of an animation (RFC 9649, 2.7.1.1). */
function countWebpFrames(bytes: Uint8Array): number {
  const view = viewBytes(bytes);
  let frames = 0;
  let offset = 12;
  for (let chunks = 0; chunks < 2 * mostCountedFrames && offset + 8 <= bytes.length; chunks++) {
    if (readFourCc(bytes, offset) === "ANMF") frames++;
    const length = view.getUint32(offset + 4, true);
    offset += 8 + length + (length % 2);
  }
  return frames;
}
