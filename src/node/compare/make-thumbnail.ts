import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import startEncoder, { type MozJPEGModule } from "@jsquash/jpeg/codec/enc/mozjpeg_enc.js";
import { defaultOptions } from "@jsquash/jpeg/meta.js";
import { createDecodeImage } from "../../image/decode-image.ts";
import type { ImageLimits, Pixels } from "../../image/pixels.ts";
import { resize } from "../../preprocess/resize.ts";
import { loadCodecs } from "../pool/load-codecs.ts";

/** Longer side of a thumbnail in pixels; as JPEG one takes 3 to 8 KB, and noise 12. */
export const thumbnailMaxSide = 160;

/** A small picture that is ours to the last byte, whatever the one that it was made of. */
export interface Thumbnail {
  readonly width: number;
  readonly height: number;
  /** JPEG. */
  readonly bytes: Uint8Array;
}

/** Encoded bytes of a picture to its thumbnail. @throws EmbedError the reasons of a picture */
export type MakeThumbnail = (bytes: Uint8Array) => Promise<Thumbnail>;

/**
 * Decodes in this thread: only for pictures that a worker has embedded already, within its limits and its time.
 */
export async function createMakeThumbnail(limits: ImageLimits): Promise<MakeThumbnail> {
  const [codecs, encoder] = await Promise.all([loadCodecs(), loadEncoder()]);
  const decode = createDecodeImage(codecs, limits);
  return async (bytes) => {
    const { pixels } = await decode(bytes);
    const scale = Math.min(1, thumbnailMaxSide / Math.max(pixels.width, pixels.height));
    const side = (length: number) => Math.max(1, Math.round(length * scale));
    const small = resize(pixels, side(pixels.width), side(pixels.height), "bilinear");
    const { width, height } = small;
    // The encoder's answer is a view of its own memory, which the next call overwrites.
    return { width, height, bytes: encoder.encode(toRgba(small), width, height, defaultOptions).slice() };
  };
}

async function loadEncoder(): Promise<MozJPEGModule> {
  const file = fileURLToPath(import.meta.resolve("@jsquash/jpeg/codec/enc/mozjpeg_enc.wasm"));
  const wasm = await WebAssembly.compile(await readFile(file));
  return startEncoder({
    noInitialRun: true,
    instantiateWasm(imports: WebAssembly.Imports, receive: (instance: WebAssembly.Instance) => void) {
      const instance = new WebAssembly.Instance(wasm, imports);
      receive(instance);
      return instance.exports;
    },
  });
}

function toRgba({ width, height, data }: Pixels): Uint8ClampedArray<ArrayBuffer> {
  const rgba = new Uint8ClampedArray(width * height * 4).fill(255);
  for (let pixel = 0; pixel < width * height; pixel++) {
    rgba.set(data.subarray(pixel * 3, pixel * 3 + 3), pixel * 4);
  }
  return rgba;
}
