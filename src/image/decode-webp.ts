import { readWebpHeader, type WebpChunk, type WebpFrame } from "./header-webp.ts";
import { corruptImage } from "./image-errors.ts";
import { packRgb } from "./pack-rgb.ts";
import type { Pixels } from "./pixels.ts";
import type { DecodeRgba, RgbaImage } from "./wasm-codec.ts";

/**
 * Decodes a lossy or lossless WebP, or the first frame of an animation on a black canvas. Alpha is dropped,
 * the colour under it stays.
 * @returns (height, width, 3) uint8 RGB, as Pillow's `convert("RGB")`
 * @throws EmbedError `IMAGE_CORRUPT`
 */
export async function decodeWebp(bytes: Uint8Array, decode: DecodeRgba): Promise<Pixels> {
  const { width, height, animated, frame } = readWebpHeader(bytes);
  let image: RgbaImage;
  try {
    // libwebp decodes no animation, so its frame goes in as a still picture.
    image = await decode(animated ? wrapStill(frame) : bytes);
  } catch (error) {
    throw corruptImage("webp", "the compressed data is broken", error);
  }
  if (image.width !== frame.width || image.height !== frame.height) {
    throw corruptImage(
      "webp",
      `the header says ${frame.width} x ${frame.height}, the decoder ${image.width} x ${image.height}`,
    );
  }
  const rgb = packRgb(image.data);
  if (frame.width === width && frame.height === height) return { width, height, data: rgb };
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < frame.height; y++) {
    const row = rgb.subarray(y * frame.width * 3, (y + 1) * frame.width * 3);
    data.set(row, ((frame.y + y) * width + frame.x) * 3);
  }
  return { width, height, data };
}

const alphaFlag = 0x10;

/** A RIFF container (RFC 9649, 2) around one frame's chunks. */
function wrapStill({ width, height, alpha, image }: WebpFrame): Uint8Array {
  const chunks = alpha ? [extendedHeader(width, height), alpha.whole, image.whole] : [image.whole];
  const payloadBytes = 4 + chunks.reduce((length, chunk) => length + chunk.length, 0);
  const still = new Uint8Array(8 + payloadBytes);
  still.set(asciiBytes("RIFF"));
  new DataView(still.buffer).setUint32(4, payloadBytes, true);
  still.set(asciiBytes("WEBP"), 8);
  let offset = 12;
  for (const chunk of chunks) {
    still.set(chunk, offset);
    offset += chunk.length;
  }
  return still;
}

/** `VP8X`: without it, a decoder ignores `ALPH`. */
function extendedHeader(width: number, height: number): WebpChunk["whole"] {
  const chunk = new Uint8Array(18);
  const view = new DataView(chunk.buffer);
  chunk.set(asciiBytes("VP8X"));
  view.setUint32(4, 10, true);
  view.setUint32(8, alphaFlag, true);
  // 24 bits each: the high byte of the width's word is overwritten by the height.
  view.setUint32(12, width - 1, true);
  view.setUint16(15, (height - 1) & 0xffff, true);
  view.setUint8(17, (height - 1) >> 16);
  return chunk;
}

function asciiBytes(text: string): Uint8Array {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}
