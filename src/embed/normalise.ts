import { EmbedError } from "../errors.ts";

/**
 * Scales a feature vector to L2 norm 1, as the original does with `features / numpy.linalg.norm(features)`:
 * the quotient is float32. The sum of squares is kept in float64, which is never farther from the true norm.
 *
 * @param features (dimension) float32
 * @returns (dimension) float32, a new array
 * @throws EmbedError `ENGINE_FAILED` if the norm is zero or not finite: such a vector has no direction
 */
export function normaliseL2(features: Float32Array): Float32Array {
  let sum = 0;
  for (const value of features) sum += value * value;
  const norm = Math.fround(Math.sqrt(sum));
  if (!(norm > 0 && Number.isFinite(norm))) {
    throw new EmbedError(
      "ENGINE_FAILED",
      `expected features with a finite norm above 0, got ${norm} over ${features.length} values`,
    );
  }
  return features.map((value) => value / norm);
}
