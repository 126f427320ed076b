import type { Embedding } from "../embed/embedder.ts";
import type { ServedModel } from "./served-model.ts";
import type { PictureWork } from "./work-batch.ts";

/** A model's embedder as one who works on pictures. */
export function embeddingWork({ embedder, limits, onResult, hold }: ServedModel): PictureWork<Embedding> {
  return {
    hold,
    get concurrency() {
      return embedder.concurrency;
    },
    maxItems: limits.maxItems,
    work: (bytes, options) => embedder.embed(bytes, options),
    onResult,
  };
}
