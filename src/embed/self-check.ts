import type { EngineName } from "../engine/engine.ts";
import { engineTolerance } from "../engine/engine-tolerances.ts";
import { EmbedError } from "../errors.ts";
import { compareVectors } from "./compare-vectors.ts";
import type { Pipeline } from "./pipeline.ts";

/** A picture whose embedding is known; an engine that gives another one never takes work. */
export interface SelfCheck {
  /** Name of the picture, for messages. */
  readonly name: string;
  readonly bytes: Uint8Array;
  /** (dimension) float32, L2 norm 1, from real Keras. */
  readonly vector: Float32Array;
  /** Largest absolute error of any element, where the engine has no tolerance of its own. */
  readonly tolerance: number;
}

/**
 * Embeds the known picture. It also warms the engine up.
 * @param engine that the pipeline runs
 * @returns the largest absolute error
 * @throws EmbedError `VECTOR_DRIFT` above the tolerance; whatever the pipeline failed with
 */
export async function runSelfCheck(
  pipeline: Pipeline,
  check: SelfCheck,
  engine: EngineName,
): Promise<number> {
  const result = await pipeline(check.bytes);
  if (!result.ok) throw result.error;
  const { maxAbsError } = compareVectors(result.vector, check.vector);
  const tolerance = engineTolerance(engine, check.tolerance);
  if (!(maxAbsError <= tolerance)) {
    throw new EmbedError(
      "VECTOR_DRIFT",
      `expected the embedding of ${check.name} within ${tolerance} of Keras's, got a largest absolute error of ${maxAbsError}`,
    );
  }
  return maxAbsError;
}
