/**
 * How far one vector lies from another. src/embed has its own comparison: the judge shares no code with what it
 * judges.
 */
export interface VectorDistance {
  /** Largest absolute difference of one element; NaN if either vector holds a NaN. */
  readonly maxAbs: number;
  readonly cosine: number;
}

/** Both vectors are (dimension) with the same dimension; sums are in float64. */
export function measureDistance(actual: ArrayLike<number>, expected: ArrayLike<number>): VectorDistance {
  let maxAbs = 0;
  let dot = 0;
  for (let i = 0; i < expected.length; i++) {
    // Math.max keeps a NaN: a broken vector must not look near.
    maxAbs = Math.max(maxAbs, Math.abs(actual[i]! - expected[i]!));
    dot += actual[i]! * expected[i]!;
  }
  return { maxAbs, cosine: dot / (l2Norm(actual) * l2Norm(expected)) };
}

export function l2Norm(vector: ArrayLike<number>): number {
  let squares = 0;
  for (let i = 0; i < vector.length; i++) squares += vector[i]! * vector[i]!;
  return Math.sqrt(squares);
}

/** Bit for bit; a NaN equals itself, 0 and -0 differ. */
export function areIdentical(a: readonly ArrayLike<number>[], b: readonly ArrayLike<number>[]): boolean {
  return (
    a.length === b.length &&
    a.every((vector, index) => {
      const other = b[index]!;
      if (vector.length !== other.length) return false;
      for (let i = 0; i < vector.length; i++) if (!Object.is(vector[i], other[i])) return false;
      return true;
    })
  );
}
