import type { EmbedResult } from "../embed/embedder.ts";
import type { EmbedError } from "../errors.ts";

/** One picture that waits or is worked on. */
export interface Picture {
  readonly bytes: Uint8Array;
  /** Only the first call counts. */
  readonly settle: (result: EmbedResult) => void;
}

/** The pictures that wait for a worker. */
export interface PictureLine {
  readonly size: number;
  add(picture: Picture): void;
  /** For a picture whose worker was lost: it comes next, and alone. @returns false where it does not: that was done before */
  retry(picture: Picture): boolean;
  /** Its caller has gone: it is worked on no more. */
  leave(picture: Picture): void;
  /** @returns up to `most` pictures that wait no more, or one that is tried again */
  take(most: number): readonly Picture[];
  failAll(error: EmbedError): void;
}

export function createPictureLine(): PictureLine {
  const waiting = new Set<Picture>();
  /** Alone, since one of them may be to blame. */
  const retried = new Set<Picture>();
  const tried = new WeakSet<Picture>();
  function takeFrom(pictures: Set<Picture>, most: number): readonly Picture[] {
    const taken: Picture[] = [];
    for (const picture of pictures) {
      if (taken.length === most) break;
      pictures.delete(picture);
      taken.push(picture);
    }
    return taken;
  }

  return {
    get size() {
      return waiting.size + retried.size;
    },
    add: (picture) => void waiting.add(picture),
    retry(picture) {
      if (tried.has(picture)) return false;
      tried.add(picture);
      retried.add(picture);
      return true;
    },
    leave(picture) {
      tried.add(picture);
      waiting.delete(picture);
      retried.delete(picture);
    },
    take: (most) => (retried.size > 0 ? takeFrom(retried, 1) : takeFrom(waiting, most)),
    failAll(error) {
      for (const picture of [...retried, ...waiting]) picture.settle({ ok: false, error });
      retried.clear();
      waiting.clear();
    },
  };
}
