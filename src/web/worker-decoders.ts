import { EmbedError } from "../errors.ts";
import { createDecodeByFormat, type DecodeFormat } from "../image/decode-by-format.ts";
import { createJpegDecoder } from "../image/jpeg-decoder.ts";
import type { OtherDecoders } from "../image/other-decoders.ts";
import type { DecodeImage, ImageLimits } from "../image/pixels.ts";
import { compileWasm } from "./compile-wasm.ts";
import type { DecodeOther } from "./other-decoders.ts";

/** What a Web Worker decodes with: JPEG is there, all else is fetched when the first such picture comes. */
export interface WorkerDecoders {
  /** `mozjpeg_dec.wasm` */
  readonly jpeg: WebAssembly.Module;
  /** URL of the built `other-decoders.ts`. */
  readonly others: string;
  /** URL of `webp_dec.wasm`. */
  readonly webp: string;
}

/** The returned function throws EmbedError `CONFIG_INVALID`, too, if a decoder cannot be fetched; it is tried again. */
export function createWorkerDecode({ jpeg, others, webp }: WorkerDecoders, limits: ImageLimits): DecodeImage {
  let loaded: Promise<DecodeOther> | undefined;
  let failures = 0;

  function loadOthers(): Promise<DecodeOther> {
    loaded ??= importDecoders(others, failures, webp).catch((error: unknown) => {
      loaded = undefined;
      failures++;
      throw error;
    });
    return loaded;
  }

  const other =
    (format: keyof OtherDecoders): DecodeFormat =>
    async (bytes) => {
      const decode = await loadOthers();
      const decoded = await decode(format, bytes);
      if ("reason" in decoded) throw EmbedError.fromPlain(decoded);
      return decoded;
    };
  const decoders = {
    jpeg: createJpegDecoder(jpeg),
    ...{ png: other("png"), webp: other("webp"), gif: other("gif"), bmp: other("bmp"), tiff: other("tiff") },
  };
  return createDecodeByFormat(decoders, limits);
}

async function importDecoders(url: string, failures: number, webp: string): Promise<DecodeOther> {
  try {
    // A browser may keep it that a module could not be fetched; by another fragment it is another module.
    const { createDecodeOther } = (await import(
      /* webpackIgnore: true */ /* @vite-ignore */ failures === 0 ? url : `${url}#${failures}`
    )) as typeof import("./other-decoders.ts");
    return createDecodeOther(() => compileWasm(webp));
  } catch (cause) {
    const message = `the decoders of all formats but JPEG cannot be fetched from ${url}: ${String(cause)}`;
    throw new EmbedError("CONFIG_INVALID", message, { cause });
  }
}
