import { EmbedError, type PlainEmbedError } from "../errors.ts";
import { createOtherDecoders, type OtherDecoders } from "../image/other-decoders.ts";
import type { Pixels } from "../image/pixels.ts";

/**
 * Entry of the module with every decoder but JPEG's, which a Web Worker fetches when it needs the first of them. Its
 * classes are its own, so that its errors go out as plain data.
 */

export type DecodeOther = (
  format: keyof OtherDecoders,
  bytes: Uint8Array,
) => Promise<Pixels | PlainEmbedError>;

export function createDecodeOther(loadWebp: () => Promise<WebAssembly.Module>): DecodeOther {
  const decoders = createOtherDecoders(loadWebp);
  return async (format, bytes) => {
    try {
      return await decoders[format](bytes);
    } catch (error) {
      if (error instanceof EmbedError) return error.toPlain();
      throw error;
    }
  };
}
