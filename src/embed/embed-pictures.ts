import type { EngineSession } from "../engine/engine.ts";
import { EmbedError } from "../errors.ts";
import { embedBatch } from "./embed-batch.ts";
import type { EmbedResult } from "./embedder.ts";
import type { Now } from "./host.ts";
import type { PreparedImage, PrepareImage } from "./prepare-image.ts";

/**
 * Several pictures from encoded bytes to embeddings, in one run of the engine; never rejects. Calls must not overlap.
 * @param pictures at least one
 * @returns a result for each, in order. A picture that cannot be prepared fails alone.
 */
export type EmbedPictures = (pictures: readonly Uint8Array[]) => Promise<readonly EmbedResult[]>;

export function createEmbedPictures(
  prepareImage: PrepareImage,
  session: EngineSession,
  now: Now,
): EmbedPictures {
  return async (pictures) => {
    const prepared: PreparedImage[] = [];
    const failures = new Map<number, EmbedResult>();
    // One after the other, so that one decoded picture is in memory at a time.
    for (const [index, bytes] of pictures.entries()) {
      try {
        prepared.push(await prepareImage(bytes));
      } catch (error) {
        failures.set(index, { ok: false, error: EmbedError.from(error) });
      }
    }
    const embedded = prepared.length > 0 ? await embedBatch(session, prepared, now) : [];
    const rest = embedded.values();
    return pictures.map((_, index) => failures.get(index) ?? (rest.next().value as EmbedResult));
  };
}
