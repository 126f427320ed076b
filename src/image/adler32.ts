const modulus = 65521;

/** As many bytes as both sums take in 32 bits before they must be reduced (RFC 1950, 8.2); a multiple of four. */
const blockBytes = 5552;

/**
 * The checksum of zlib streams (RFC 1950, 9).
 * @param sum the checksum so far, 1 at the start; 32 bits, unsigned
 */
export function adler32(sum: number, bytes: Uint8Array, start: number, end: number): number {
  let low = sum & 0xffff;
  let high = sum >>> 16;
  for (let i = start; i < end; ) {
    const blockEnd = Math.min(end, i + blockBytes);
    // Four at a time: each sum then waits for itself only once.
    for (; i + 4 <= blockEnd; i += 4) {
      const [a, b, c, d] = [bytes[i]!, bytes[i + 1]!, bytes[i + 2]!, bytes[i + 3]!];
      high += 4 * low + 4 * a + 3 * b + 2 * c + d;
      low += a + b + c + d;
    }
    for (; i < blockEnd; i++) {
      low += bytes[i]!;
      high += low;
    }
    low %= modulus;
    high %= modulus;
  }
  return ((high << 16) | low) >>> 0;
}
