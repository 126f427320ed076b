import type { EngineName } from "../engine/engine.ts";
import { engineTolerance } from "../engine/engine-tolerances.ts";
import { EmbedError } from "../errors.ts";
import { compareVectors, type VectorDifference } from "./compare-vectors.ts";
import type { Accuracy } from "./model-manifest.ts";
import type { Pipeline } from "./pipeline.ts";

/** A picture whose embedding is known; an engine that gives another one never takes work. */
export interface SelfCheck {
  /** Name of the picture, for messages. */
  readonly name: string;
  readonly bytes: Uint8Array;
  /** (dimension) float32, L2 norm 1, from the reference. */
  readonly vector: Float32Array;
  /** What gave the vector: real Keras, or Portico itself when the model was imported. Default: Keras. */
  readonly reference?: VectorReference;
  /** Largest absolute error of any element, where the engine has no tolerance of its own. */
  readonly tolerance: number;
  /** Of a variant: what holds instead of the tolerance, for a photograph. */
  readonly accuracy?: Accuracy | undefined;
}

/** A picture whose embedding is not known: the engine must only make a vector of it. */
export type WarmUp = Pick<SelfCheck, "name" | "bytes"> & { readonly vector?: undefined };

export type VectorReference = "keras" | "import";

/** A reference as messages have it: "within 1e-6 of Keras's". */
export function nameReference(reference: VectorReference = "keras"): string {
  return reference === "keras" ? "Keras's" : "that of its import";
}

/**
 * Embeds the known picture. It also warms the engine up.
 * @param engine that the pipeline runs
 * @returns the largest absolute error; undefined if the vector is not known
 * @throws EmbedError `VECTOR_DRIFT` above the tolerance; whatever the pipeline failed with
 */
export async function runSelfCheck(
  pipeline: Pipeline,
  check: SelfCheck | WarmUp,
  engine: EngineName,
): Promise<number | undefined> {
  const result = await pipeline(check.bytes);
  if (!result.ok) throw result.error;
  if (!check.vector) return undefined;
  const { maxAbsError, cosine } = compareVectors(result.vector, check.vector);
  if (check.accuracy) {
    checkAccuracy(check.name, check.accuracy, { maxAbsError, cosine });
    return maxAbsError;
  }
  const tolerance = engineTolerance(engine, check.tolerance);
  if (!(maxAbsError <= tolerance)) {
    throw new EmbedError(
      "VECTOR_DRIFT",
      `expected the embedding of ${check.name} within ${tolerance} of ${nameReference(check.reference)}, got a largest absolute error of ${maxAbsError}`,
    );
  }
  return maxAbsError;
}

/** @throws EmbedError `VECTOR_DRIFT` */
function checkAccuracy(name: string, accuracy: Accuracy, { maxAbsError, cosine }: VectorDifference): void {
  const { photoMinCosine, maxAbsError: most = Number.POSITIVE_INFINITY } = accuracy;
  // Not `<` and `>`: NaN must not pass.
  if (!(cosine >= photoMinCosine)) {
    throw new EmbedError(
      "VECTOR_DRIFT",
      `expected the embedding of ${name} with a cosine of at least ${photoMinCosine} to Keras's, got ${cosine}`,
    );
  }
  if (!(maxAbsError <= most)) {
    throw new EmbedError(
      "VECTOR_DRIFT",
      `expected the embedding of ${name} within ${most} of Keras's, got a largest absolute error of ${maxAbsError}`,
    );
  }
}
