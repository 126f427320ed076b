import type { Embedding } from "../embed/embedder.ts";
import type { ServedModel } from "./served-model.ts";
import type { PictureWork } from "./work-batch.ts";

/** A model's embedder as one who works on pictures. */
export function embeddingWork({ embedder, limits, onResult }: ServedModel): PictureWork<Embedding> {
  return {
    get ready() {
      return embedder.ready;
    },
    get concurrency() {
      return embedder.concurrency;
    },
    maxItems: limits.maxItems,
    work: (bytes, options) => embedder.embed(bytes, options),
    onResult,
  };
}
