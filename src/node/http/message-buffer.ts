/** Bytes that arrive in pieces, in one array, however many and small the pieces are. */
export interface MessageBuffer {
  readonly length: number;
  /** @param expectedBytes how long the whole will be, if that is known: no more is set aside */
  append(piece: Uint8Array, expectedBytes?: number): void;
  /** What came until now, to be used before the next `append`. */
  bytes(): Uint8Array<ArrayBuffer>;
  /** The same, and begins anew. */
  take(): Uint8Array<ArrayBuffer>;
}

/** Four times what is there: little is copied again, and memory that is not written to yet costs nothing. */
const growth = 4;
const firstBytes = 16 * 2 ** 10;

/**
 * Grows with what has arrived, not with what a sender announces. A list of pieces would cost more: a piece of
 * one byte takes a hundred, and Connect adds all lengths up at each piece.
 */
export function createMessageBuffer(): MessageBuffer {
  let store = new Uint8Array(0);
  let length = 0;
  const bytes = () => store.subarray(0, length);
  return {
    get length() {
      return length;
    },
    append(piece, expectedBytes = Number.POSITIVE_INFINITY) {
      const wanted = length + piece.length;
      if (wanted > store.length) {
        const room = Math.min(expectedBytes, Math.max(firstBytes, growth * wanted));
        const grown = new Uint8Array(Math.max(wanted, room));
        grown.set(bytes());
        // Its memory goes back now, not with the next collection of garbage. (Moving it into a larger one would write zeros.)
        store.buffer.transfer(0);
        store = grown;
      }
      store.set(piece, length);
      length = wanted;
    },
    bytes,
    take() {
      const taken = bytes();
      store = new Uint8Array(0);
      length = 0;
      return taken;
    },
  };
}
