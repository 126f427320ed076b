/** Where one of several things that run side by side writes. */
export interface OutputPart {
  write(chunk: Uint8Array): void;
  /** What the next part holds is written then. */
  end(): void;
  /** Whether what is written goes out at once. */
  isLive(): boolean;
}

/**
 * Output of things that run side by side, as if they ran one after the other: what a part writes is held until all parts before
 * it have ended.
 */
export function orderOutput(count: number, write: (chunk: Uint8Array) => void): OutputPart[] {
  const held: Uint8Array[][] = Array.from({ length: count }, () => []);
  const ended = new Set<number>();
  let live = 0;

  const release = (index: number) => held[index]?.splice(0).forEach(write);

  return held.map((chunks, index) => ({
    write(chunk) {
      if (index === live) write(chunk);
      else chunks.push(chunk);
    },
    end() {
      ended.add(index);
      while (ended.has(live)) {
        live += 1;
        release(live);
      }
    },
    isLive: () => index === live,
  }));
}
