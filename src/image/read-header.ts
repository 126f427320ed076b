import { countFrames } from "./count-frames.ts";
import { readBmpHeader } from "./header-bmp.ts";
import { readGifHeader } from "./header-gif.ts";
import { readJpegHeader } from "./header-jpeg.ts";
import { readPngHeader } from "./header-png.ts";
import { readTiffHeader } from "./header-tiff.ts";
import { readWebpHeader } from "./header-webp.ts";
import type { FileHeader, ImageFormat, ImageHeader } from "./pixels.ts";
import { sniffFormat } from "./sniff-format.ts";

const headerReaders: Record<ImageFormat, (bytes: Uint8Array) => ImageHeader> = {
  jpeg: readJpegHeader,
  png: readPngHeader,
  webp: readWebpHeader,
  gif: readGifHeader,
  bmp: readBmpHeader,
  tiff: readTiffHeader,
};

/**
 * Reads format, width, height and the number of frames from the structure alone, in time linear in the file's length.
 * @throws EmbedError `SOURCE_EMPTY`, `IMAGE_UNSUPPORTED` or `IMAGE_CORRUPT`
 */
export function readHeader(bytes: Uint8Array): FileHeader {
  const { format, width, height } = headerReaders[sniffFormat(bytes)](bytes);
  return { format, width, height, frames: countFrames(bytes, format) };
}
