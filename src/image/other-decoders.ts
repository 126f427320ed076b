import startWebpDecoder from "@jsquash/webp/codec/dec/webp_dec.js";
import { decodeBmp } from "./decode-bmp.ts";
import type { DecodeFormat } from "./decode-by-format.ts";
import { decodeGif } from "./decode-gif.ts";
import { decodePng } from "./decode-png.ts";
import { decodeTiff } from "./decode-tiff.ts";
import { decodeWebp } from "./decode-webp.ts";
import type { ImageFormat } from "./pixels.ts";
import { createWasmCodec, type DecodeRgba, type DecoderFactory } from "./wasm-codec.ts";

/** Every format but JPEG: most pages see nothing else, so that a page fetches these when the first of them comes. */
export type OtherDecoders = Readonly<Record<Exclude<ImageFormat, "jpeg">, DecodeFormat>>;

/**
 * @param loadWebp brings `@jsquash/webp/codec/dec/webp_dec.wasm`; called at the first WebP, and again only if it failed
 */
export function createOtherDecoders(loadWebp: () => Promise<WebAssembly.Module>): OtherDecoders {
  let decode: DecodeRgba | undefined;
  return {
    png: decodePng,
    async webp(bytes) {
      decode ??= createWasmCodec(startWebpDecoder as unknown as DecoderFactory, await loadWebp());
      return decodeWebp(bytes, decode);
    },
    gif: decodeGif,
    bmp: decodeBmp,
    tiff: decodeTiff,
  };
}
