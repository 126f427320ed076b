import { createDecodeByFormat } from "./decode-by-format.ts";
import { createJpegDecoder } from "./jpeg-decoder.ts";
import { createOtherDecoders } from "./other-decoders.ts";
import type { DecodeImage, ImageLimits } from "./pixels.ts";

/** The compiled WebAssembly of the two codecs; the host reads and compiles it. */
export interface ImageCodecs {
  /** `@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm` */
  readonly jpeg: WebAssembly.Module;
  /** `@jsquash/webp/codec/dec/webp_dec.wasm` */
  readonly webp: WebAssembly.Module;
}

/** All decoders, loaded with this module; a page takes them one by one (src/web/worker-decoders.ts). */
export function createDecodeImage({ jpeg, webp }: ImageCodecs, limits: ImageLimits): DecodeImage {
  const decoders = { jpeg: createJpegDecoder(jpeg), ...createOtherDecoders(async () => webp) };
  return createDecodeByFormat(decoders, limits);
}
