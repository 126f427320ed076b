import startJpegDecoder from "@jsquash/jpeg/codec/dec/mozjpeg_dec.js";
import startWebpDecoder from "@jsquash/webp/codec/dec/webp_dec.js";
import { EmbedError } from "../errors.ts";
import { checkLimits } from "./check-limits.ts";
import { decodeBmp } from "./decode-bmp.ts";
import { decodeGif } from "./decode-gif.ts";
import { decodeJpeg } from "./decode-jpeg.ts";
import { decodePng } from "./decode-png.ts";
import { decodeTiff } from "./decode-tiff.ts";
import { decodeWebp } from "./decode-webp.ts";
import { corruptImage } from "./image-errors.ts";
import type { DecodeImage, ImageFormat, ImageLimits, Pixels } from "./pixels.ts";
import { readHeader } from "./read-header.ts";
import { createWasmCodec, type DecoderFactory } from "./wasm-codec.ts";

/** The compiled WebAssembly of the two codecs; the host reads and compiles it. */
export interface ImageCodecs {
  /** `@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm` */
  readonly jpeg: WebAssembly.Module;
  /** `@jsquash/webp/codec/dec/webp_dec.wasm` */
  readonly webp: WebAssembly.Module;
}

/**
 * Composes the decoders: sniff, read the header, cap it, decode. The returned function works on one picture at
 * a time in each thread, and may be called without awaiting the last one.
 */
export function createDecodeImage(codecs: ImageCodecs, limits: ImageLimits): DecodeImage {
  const decodeMozjpeg = createWasmCodec(startJpegDecoder as unknown as DecoderFactory, codecs.jpeg, [false]);
  const decodeLibwebp = createWasmCodec(startWebpDecoder as unknown as DecoderFactory, codecs.webp);
  const decoders: Record<ImageFormat, (bytes: Uint8Array) => Pixels | Promise<Pixels>> = {
    jpeg: (bytes) => decodeJpeg(bytes, decodeMozjpeg),
    png: decodePng,
    webp: (bytes) => decodeWebp(bytes, decodeLibwebp),
    gif: decodeGif,
    bmp: decodeBmp,
    tiff: decodeTiff,
  };
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
