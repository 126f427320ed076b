import { jpegMarker } from "./header-jpeg.ts";
import { corruptImage } from "./image-errors.ts";

/** Codes of up to this many bits are looked up at once. */
const lookupBits = 8;

export interface HuffmanTable {
  /** By the next 8 bits: code length << 8 | symbol; 0 for longer codes. */
  readonly lookup: Uint16Array;
  /** By code length: one past the largest code, or 0. */
  readonly codeEnds: Int32Array;
  /** By code length: what to add to a code to get its place in `symbols`. */
  readonly offsets: Int32Array;
  readonly symbols: Uint8Array;
}

/**
 * Builds a table from the code lengths of DHT (ITU-T T.81, annex C).
 * @param counts how many codes there are of 1 to 16 bits
 * @throws EmbedError `IMAGE_CORRUPT` for lengths that no prefix code has
 */
export function buildHuffmanTable(counts: Uint8Array, symbols: Uint8Array): HuffmanTable {
  const lookup = new Uint16Array(1 << lookupBits);
  const codeEnds = new Int32Array(17);
  const offsets = new Int32Array(17);
  let code = 0;
  let index = 0;
  for (let length = 1; length <= 16; length++) {
    const count = counts[length - 1]!;
    offsets[length] = index - code;
    if (code + count > 1 << length) throw corruptImage("jpeg", `too many Huffman codes of ${length} bits`);
    for (let i = 0; i < count; i++, code++, index++) {
      if (length > lookupBits) continue;
      const first = code << (lookupBits - length);
      lookup.fill((length << 8) | symbols[index]!, first, first + (1 << (lookupBits - length)));
    }
    codeEnds[length] = count > 0 ? code : 0;
    code <<= 1;
  }
  return { lookup, codeEnds, offsets, symbols };
}

/** Reads bits from entropy-coded data (ITU-T T.81, F.2.2). Past a marker or the end it reads zeros, as libjpeg does. */
export class JpegBitReader {
  private readonly bytes: Uint8Array;
  private position: number;
  private bits = 0;
  private bitCount = 0;
  /** How many of the bits in store were made up. */
  private padding = 0;
  /** Kept, so that restarts without a marker of their own do not search the same bytes again and again. */
  private nextMarker = -1;

  constructor(bytes: Uint8Array, position: number) {
    this.bytes = bytes;
    this.position = position;
  }

  /** The data of this interval was used up before its last block; libjpeg then leaves the rest of it empty. */
  isPastEnd(): boolean {
    return this.bitCount < this.padding;
  }

  /** The next `count` bits, 0 to 16, as an unsigned number. */
  read(count: number): number {
    while (this.bitCount < count) this.fill();
    this.bitCount -= count;
    return (this.bits >>> this.bitCount) & ((1 << count) - 1);
  }

  /** A value of `size` bits in JPEG's signed form (F.2.2.1, EXTEND). */
  readSigned(size: number): number {
    const value = this.read(size);
    return size > 0 && value < 1 << (size - 1) ? value - (1 << size) + 1 : value;
  }

  readSymbol(table: HuffmanTable): number {
    while (this.bitCount < 16) this.fill();
    const peeked = (this.bits >>> (this.bitCount - lookupBits)) & ((1 << lookupBits) - 1);
    const entry = table.lookup[peeked]!;
    if (entry !== 0) {
      this.bitCount -= entry >> 8;
      return entry & 255;
    }
    for (let length = lookupBits + 1; length <= 16; length++) {
      const code = (this.bits >>> (this.bitCount - length)) & ((1 << length) - 1);
      if (code < table.codeEnds[length]!) {
        this.bitCount -= length;
        return table.symbols[code + table.offsets[length]!]!;
      }
    }
    // libjpeg warns and goes on with a zero.
    this.bitCount -= 16;
    return 0;
  }

  /** Drops the rest of the interval and steps over its restart marker, if there is one. */
  restart(): void {
    this.bits = 0;
    this.bitCount = 0;
    this.padding = 0;
    if (this.nextMarker < this.position) this.nextMarker = this.findMarker();
    const marker = this.bytes[this.nextMarker + 1] ?? 0;
    if (marker >= jpegMarker.rst0 && marker <= jpegMarker.rst7) this.position = this.nextMarker + 2;
  }

  /** Where the next marker begins; the data's end without one. */
  private findMarker(): number {
    let position = this.bytes.indexOf(0xff, this.position);
    while (position >= 0 && (this.bytes[position + 1] === 0 || this.bytes[position + 1] === 0xff)) {
      position = this.bytes.indexOf(0xff, position + 1);
    }
    return position < 0 ? this.bytes.length : position;
  }

  private fill(): void {
    let byte = this.bytes[this.position] ?? 0;
    if (byte !== 0xff && this.position < this.bytes.length) {
      this.position++;
    } else if (byte === 0xff && this.bytes[this.position + 1] === 0) {
      this.position += 2;
    } else {
      byte = 0;
      this.padding += 8;
    }
    this.bits = (this.bits << 8) | byte;
    this.bitCount += 8;
  }
}
