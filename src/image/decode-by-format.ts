import { EmbedError } from "../errors.ts";
import { checkLimits } from "./check-limits.ts";
import { corruptImage } from "./image-errors.ts";
import type { DecodeImage, ImageFormat, ImageLimits, Pixels } from "./pixels.ts";
import { readHeader } from "./read-header.ts";

/** @throws EmbedError `IMAGE_CORRUPT` or `IMAGE_UNSUPPORTED` */
export type DecodeFormat = (bytes: Uint8Array) => Pixels | Promise<Pixels>;

export type FormatDecoders = Readonly<Record<ImageFormat, DecodeFormat>>;

/**
 * Composes decoders: sniff, read the header, cap it, decode. The returned function works on one picture at a time in
 * each thread, and may be called without awaiting the last one.
 */
export function createDecodeByFormat(decoders: FormatDecoders, limits: ImageLimits): DecodeImage {
  return async (bytes) => {
    const header = readHeader(bytes);
    const { format } = header;
    checkLimits(header, limits, bytes.length);
    let pixels: Pixels;
    try {
      pixels = await decoders[format](bytes);
    } catch (error) {
      throw error instanceof EmbedError
        ? error
        : corruptImage(format, "the picture cannot be decoded", error);
    }
    return { header, pixels };
  };
}
