export interface VectorDifference {
  /** Largest absolute difference of two elements; Infinity if the lengths differ, NaN if an element is NaN. */
  readonly maxAbsError: number;
  /** Cosine of the angle between both vectors. */
  readonly cosine: number;
}

/** Compares two vectors (dimension) float32, in float64. */
export function compareVectors(actual: Float32Array, expected: Float32Array): VectorDifference {
  if (actual.length !== expected.length) return { maxAbsError: Number.POSITIVE_INFINITY, cosine: Number.NaN };
  let maxAbsError = 0;
  let dot = 0;
  let actualSquares = 0;
  let expectedSquares = 0;
  for (const [index, value] of actual.entries()) {
    const other = expected[index] as number;
    // Math.max lets NaN through, so that a broken vector can never pass.
    maxAbsError = Math.max(maxAbsError, Math.abs(value - other));
    dot += value * other;
    actualSquares += value * value;
    expectedSquares += other * other;
  }
  return { maxAbsError, cosine: dot / Math.sqrt(actualSquares * expectedSquares) };
}
