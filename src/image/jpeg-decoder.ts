import startJpegDecoder from "@jsquash/jpeg/codec/dec/mozjpeg_dec.js";
import type { DecodeFormat } from "./decode-by-format.ts";
import { decodeJpeg } from "./decode-jpeg.ts";
import { createWasmCodec, type DecoderFactory } from "./wasm-codec.ts";

/** @param wasm `@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm` */
export function createJpegDecoder(wasm: WebAssembly.Module): DecodeFormat {
  const decode = createWasmCodec(startJpegDecoder as unknown as DecoderFactory, wasm, [false]);
  return (bytes) => decodeJpeg(bytes, decode);
}
