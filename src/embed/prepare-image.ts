import type { DecodeImage, ImageFormat } from "../image/pixels.ts";
import { preprocess } from "../preprocess/preprocess.ts";
import type { PreprocessSpec } from "../preprocess/preprocess-spec.ts";
import type { Now } from "./host.ts";

/** A picture as the engine takes it, and what its embedding says of it. */
export interface PreparedImage {
  /** (1, height, width, 3) float32, C-contiguous. */
  readonly tensor: Float32Array;
  readonly format: ImageFormat;
  /** Pixels, as the header of the picture says. */
  readonly width: number;
  readonly height: number;
  readonly decodeMs: number;
  readonly preprocessMs: number;
}

/** @throws EmbedError the reasons of a picture (docs/errors.md) */
export type PrepareImage = (bytes: Uint8Array) => Promise<PreparedImage>;

export interface PrepareStages {
  readonly decode: DecodeImage;
  readonly preprocess: PreprocessSpec;
  readonly now: Now;
}

/** Composes the stages decode -> preprocess, which need no engine. */
export function createPrepareImage({ decode, preprocess: spec, now }: PrepareStages): PrepareImage {
  return async (bytes) => {
    const start = now();
    const { header, pixels } = await decode(bytes);
    const decoded = now();
    const tensor = preprocess(pixels, spec);
    // A large picture's memory goes back before the engine runs; the next garbage collection may be far.
    if (pixels.data.buffer instanceof ArrayBuffer) pixels.data.buffer.transfer(0);
    return {
      tensor,
      format: header.format,
      width: header.width,
      height: header.height,
      decodeMs: decoded - start,
      preprocessMs: now() - decoded,
    };
  };
}
