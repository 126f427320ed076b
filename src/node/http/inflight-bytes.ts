import { EmbedError } from "../../errors.ts";

/** Bytes of request bodies that a server holds at this moment, of all calls together. */
export interface InflightBytes {
  /** What one call holds; nothing at first. */
  open(): HeldBytes;
  heldBytes(): number;
}

/** The bytes of one call: as they arrived, and unpacked where they were compressed. */
export interface HeldBytes {
  /**
   * Counts bytes before they are kept. A call that holds all there is may always go on, so that any one
   * request is served. One that is refused gives back what it held, so that of several too large together
   * one gets through.
   * @throws EmbedError `OVERLOADED` if all calls together would hold more than the bound
   */
  charge(bytes: number): void;
  /** Gives back some of it. */
  refund(bytes: number): void;
  /** Call this before a message of a stream is handed on: its bytes, however often they were counted. */
  handOver(bytes: number): void;
  /** Call this when the next message is asked for: gives the last one's bytes back unless it is kept. */
  takeBack(): void;
  /** Counts the message that was handed over last until the function that this gives is called. */
  keep(): () => void;
  /** The call has ended: gives everything back, and counts nothing any more. */
  release(): void;
}

/**
 * @param maxBytes the bound of all calls together
 * @param what is bounded, and by which flag, for the message
 */
export function createInflightBytes(maxBytes: number, what: string): InflightBytes {
  let total = 0;

  function open(): HeldBytes {
    let own = 0;
    let hasEnded = false;
    let handed: { readonly bytes: number; isKept: boolean } | undefined;

    function refund(bytes: number): void {
      const given = Math.min(own, bytes);
      own -= given;
      total -= given;
    }

    return {
      charge(bytes) {
        if (hasEnded) return;
        const others = total - own;
        const wanted = total + bytes;
        if (others > 0 && wanted > maxBytes) {
          refund(own);
          const message = `expected at most ${maxBytes} bytes of ${what}, got ${wanted}; try again later`;
          throw new EmbedError("OVERLOADED", message);
        }
        own += bytes;
        total = wanted;
      },
      refund,
      handOver(bytes) {
        handed = { bytes, isKept: false };
      },
      takeBack() {
        if (handed && !handed.isKept) refund(handed.bytes);
        handed = undefined;
      },
      keep() {
        const kept = handed;
        if (!kept || kept.isKept) return () => undefined;
        kept.isKept = true;
        let isOver = false;
        return () => {
          if (!isOver) refund(kept.bytes);
          isOver = true;
        };
      },
      release() {
        hasEnded = true;
        refund(own);
      },
    };
  }

  return { open, heldBytes: () => total };
}
