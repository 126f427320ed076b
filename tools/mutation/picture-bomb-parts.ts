import { constants, crc32, deflateRawSync } from "node:zlib";

/** A picture that is made to cost a decoder far more than its length lets expect. */
export interface PictureBomb {
  /** `jpeg: what it does` */
  readonly name: string;
  /** What must become of it: the reason of its refusal, or `decoded` where the trap is one that Portico does not step into. */
  readonly outcome: "IMAGE_TOO_LARGE" | "IMAGE_CORRUPT" | "IMAGE_UNSUPPORTED" | "decoded";
  make(): Uint8Array;
}

type Part = Uint8Array | readonly number[] | string;

/** Joins bytes; text is Latin-1. */
export function join(...parts: readonly Part[]): Uint8Array {
  return new Uint8Array(
    Buffer.concat(
      parts.map((part) => (typeof part === "string" ? Buffer.from(part, "latin1") : Uint8Array.from(part))),
    ),
  );
}

export function repeat(bytes: Part, times: number): Uint8Array {
  const piece = join(bytes);
  const all = new Uint8Array(piece.length * times);
  for (let offset = 0; offset < all.length; offset += piece.length) all.set(piece, offset);
  return all;
}

/** `bits` is 16 or 32. */
export function number(value: number, bits: 16 | 32, order: "little" | "big"): Uint8Array {
  const bytes = new Uint8Array(bits / 8);
  const view = new DataView(bytes.buffer);
  if (bits === 16) view.setUint16(0, value, order === "little");
  else view.setUint32(0, value, order === "little");
  return bytes;
}

export const le16 = (value: number) => number(value, 16, "little");
export const le32 = (value: number) => number(value, 32, "little");
export const be16 = (value: number) => number(value, 16, "big");
export const be32 = (value: number) => number(value, 32, "big");

/** A zlib stream of zeros, made of the same megabyte again and again. */
export function deflatedZeros(megabytes: number): Uint8Array {
  const megabyte = deflateRawSync(new Uint8Array(2 ** 20), { level: 9, finishFlush: constants.Z_FULL_FLUSH });
  const emptyLastBlock = [3, 0];
  // Adler-32 of n zeros (RFC 1950, 9).
  const checksum = be32((((megabytes * 2 ** 20) % 65521) * 65536 + 1) >>> 0);
  return join([0x78, 0xda], repeat(megabyte, megabytes), emptyLastBlock, checksum);
}

export function pngChunk(type: string, data: Uint8Array): Uint8Array {
  const body = join(type, data);
  return join(be32(data.length), body, be32(crc32(body)));
}

/** An 8-bit RGB PNG, or what `colour`, `depth` and `interlace` say. */
export function png(
  width: number,
  height: number,
  chunks: readonly Uint8Array[],
  { colour = 2, depth = 8, interlace = 0 } = {},
): Uint8Array {
  return join(
    "\x89PNG\r\n\x1a\n",
    pngChunk("IHDR", join(be32(width), be32(height), [depth, colour, 0, 0, interlace])),
    ...chunks,
    pngChunk("IEND", new Uint8Array(0)),
  );
}

export function jpegSegment(marker: number, data: Part): Uint8Array {
  const bytes = join(data);
  return join([0xff, marker], be16(bytes.length + 2), bytes);
}

export function riff(...chunks: readonly Uint8Array[]): Uint8Array {
  const body = join("WEBP", ...chunks);
  return join("RIFF", le32(body.length), body);
}

export function riffChunk(type: string, data: Part): Uint8Array {
  const bytes = join(data);
  return join(type, le32(bytes.length), bytes, bytes.length % 2 ? [0] : []);
}
