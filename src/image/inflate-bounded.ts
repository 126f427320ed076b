import { Unzlib } from "fflate";

/**
 * How much compressed data is fed at a time. Deflate grows at most 1032-fold, so a bomb gets 16 MB past the
 * bound before it is stopped.
 */
const feedBytes = 16 * 1024;

/**
 * Compressed bytes without one byte of output after which the stream counts as ended. A stored block is the
 * longest thing that yields nothing until it is complete: 64 KB.
 */
const idleLimitBytes = 128 * 1024;

/** Takes the next inflated bytes; returns whether it wants more. */
export type TakeInflated = (bytes: Uint8Array) => boolean;

/**
 * Inflates a zlib stream (RFC 1950) until `take` has enough; what follows is never inflated, so the caller's
 * bound is the bound on work and memory. The Adler checksum at the end is not looked at: neither does Pillow.
 * @returns whether `take` got enough
 * @throws whatever fflate throws for broken data
 */
export function inflateBounded(compressed: Uint8Array, take: TakeInflated): boolean {
  let wantsMore = true;
  let idleBytes = 0;
  const stream = new Unzlib((bytes) => {
    if (bytes.length === 0) return;
    idleBytes = 0;
    wantsMore = take(bytes);
  });
  for (let offset = 0; offset < compressed.length && idleBytes < idleLimitBytes; offset += feedBytes) {
    const fed = compressed.subarray(offset, offset + feedBytes);
    idleBytes += fed.length;
    stream.push(fed, false);
    if (!wantsMore) return true;
  }
  return false;
}

/**
 * Inflates into `out` and stops when it is full.
 * @returns how many bytes of `out` were filled
 */
export function inflateInto(compressed: Uint8Array, out: Uint8Array): number {
  let filled = 0;
  inflateBounded(compressed, (bytes) => {
    const room = out.length - filled;
    out.set(bytes.length > room ? bytes.subarray(0, room) : bytes, filled);
    filled += Math.min(room, bytes.length);
    return filled < out.length;
  });
  return filled;
}
