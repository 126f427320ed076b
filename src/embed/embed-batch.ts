import type { EngineSession } from "../engine/engine.ts";
import { EmbedError } from "../errors.ts";
import type { EmbedResult } from "./embedder.ts";
import type { Now } from "./host.ts";
import { normaliseL2 } from "./normalise.ts";
import type { PreparedImage } from "./prepare-image.ts";

/**
 * Composes the stages engine -> normalise for several pictures in one run of the engine; never rejects.
 * @param images at least one
 * @returns a result for each, in order; `inferMs` of each is the time of the whole run. A run that fails fails them all,
 *   features without a direction only their own picture.
 */
export async function embedBatch(
  session: EngineSession,
  images: readonly PreparedImage[],
  now: Now,
): Promise<EmbedResult[]> {
  const start = now();
  let features: Float32Array;
  try {
    features = await session.run(joinTensors(images), images.length);
  } catch (cause) {
    const error = EmbedError.from(cause);
    return images.map(() => ({ ok: false, error }));
  }
  const inferMs = now() - start;
  const { dimension } = session;
  return images.map((image, index) =>
    normalised(features.subarray(index * dimension, (index + 1) * dimension), image, inferMs),
  );
}

function normalised(features: Float32Array, image: PreparedImage, inferMs: number): EmbedResult {
  const { format, width, height, decodeMs, preprocessMs } = image;
  try {
    const vector = normaliseL2(features);
    return { ok: true, vector, format, width, height, timings: { decodeMs, preprocessMs, inferMs } };
  } catch (cause) {
    return { ok: false, error: EmbedError.from(cause) };
  }
}

/** (batch, height, width, 3), without a copy where there is one picture. */
function joinTensors(images: readonly PreparedImage[]): Float32Array {
  const [first] = images;
  if (first && images.length === 1) return first.tensor;
  const joined = new Float32Array(images.reduce((length, { tensor }) => length + tensor.length, 0));
  let offset = 0;
  for (const { tensor } of images) {
    joined.set(tensor, offset);
    offset += tensor.length;
  }
  return joined;
}
