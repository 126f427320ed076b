/** Reads the bits of a deflate stream, the low bit of each byte first; past the end it reads zeros. */
export class InflateBits {
  readonly bytes: Uint8Array;
  /** Of the next byte to take into `held`. */
  position = 0;
  held = 0;
  heldCount = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** Sees to it that 24 bits or more are held; 31 at most, so that the number stays positive. */
  fill(): void {
    while (this.heldCount < 24) {
      if (this.position < this.bytes.length) this.held |= this.bytes[this.position]! << this.heldCount;
      this.position++;
      this.heldCount += 8;
    }
  }

  /** The next `count` bits, 0 to 16. */
  read(count: number): number {
    this.fill();
    const value = this.held & ((1 << count) - 1);
    this.drop(count);
    return value;
  }

  drop(count: number): void {
    this.held >>>= count;
    this.heldCount -= count;
  }

  /** Goes on at the next whole byte. */
  alignToByte(): void {
    this.position -= this.heldCount >> 3;
    this.held = 0;
    this.heldCount = 0;
  }

  /** Bits were read that the data does not have. */
  isPastEnd(): boolean {
    return this.position - (this.heldCount >> 3) > this.bytes.length;
  }
}
