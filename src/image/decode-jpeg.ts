import { decodeJpegAsLibjpeg } from "./decode-jpeg-as-libjpeg.ts";
import { type JpegHeader, readJpegHeader } from "./header-jpeg.ts";
import { corruptImage } from "./image-errors.ts";
import { packRgb } from "./pack-rgb.ts";
import type { Pixels } from "./pixels.ts";
import type { DecodeRgba, RgbaImage } from "./wasm-codec.ts";

/**
 * Decodes a baseline or progressive JPEG: grey, colour, CMYK or YCCK, any sampling. EXIF orientation is not
 * applied: neither do Pillow and Keras apply it.
 * @returns (height, width, 3) uint8 RGB, as Pillow's `convert("RGB")`
 * @throws EmbedError `IMAGE_CORRUPT` or `IMAGE_UNSUPPORTED`
 */
export async function decodeJpeg(bytes: Uint8Array, decode: DecodeRgba): Promise<Pixels> {
  const header = readJpegHeader(bytes);
  const { width, height } = header;
  if (header.components === 4 || isHalvedDownwards(header)) return decodeJpegAsLibjpeg(bytes);
  let image: RgbaImage;
  try {
    image = await decode(bytes);
  } catch (error) {
    throw corruptImage("jpeg", "the compressed data is broken", error);
  }
  if (image.width !== width || image.height !== height) {
    throw corruptImage(
      "jpeg",
      `the header says ${width} x ${height}, the decoder ${image.width} x ${image.height}`,
    );
  }
  return { width, height, data: packRgb(image.data) };
}

/** A component has all columns but only half of the rows. */
function isHalvedDownwards({ sampling }: JpegHeader): boolean {
  const maxHorizontal = Math.max(...sampling.map(({ horizontal }) => horizontal));
  const maxVertical = Math.max(...sampling.map(({ vertical }) => vertical));
  return sampling.some(
    ({ horizontal, vertical }) => horizontal === maxHorizontal && 2 * vertical === maxVertical,
  );
}
