/** Cosine of the angle between two vectors of the same length, in float64; NaN if one has no direction. */
export type CosineOf = (a: Float32Array, b: Float32Array) => number;

/** A cosine that is computed once for each pair of vectors, as long as both are held elsewhere. */
export function createCosineOf(): CosineOf {
  const known = new WeakMap<Float32Array, WeakMap<Float32Array, number>>();
  return (a, b) => {
    const kept = known.get(a)?.get(b) ?? known.get(b)?.get(a);
    if (kept !== undefined) return kept;
    const cosine = computeCosine(a, b);
    const ofA = known.get(a) ?? new WeakMap<Float32Array, number>();
    known.set(a, ofA.set(b, cosine));
    return cosine;
  };
}

function computeCosine(a: Float32Array, b: Float32Array): number {
  let dot = 0;
  let squaresA = 0;
  let squaresB = 0;
  for (let i = 0; i < a.length; i++) {
    const x = a[i] as number;
    const y = b[i] as number;
    dot += x * y;
    squaresA += x * x;
    squaresB += y * y;
  }
  return dot / Math.sqrt(squaresA * squaresB);
}

/** The cosine of each vector with each: row i, column j. */
export function similarityMatrix(vectors: readonly Float32Array[], cosineOf: CosineOf): number[][] {
  return vectors.map((a) => vectors.map((b) => cosineOf(a, b)));
}

export interface Pair {
  /** Places in the list, the first less than the second. */
  readonly first: number;
  readonly second: number;
  readonly cosine: number;
}

/** The pairs of different vectors that are most alike, the nearest first; equal ones by their places. */
export function nearestPairs(vectors: readonly Float32Array[], most: number, cosineOf: CosineOf): Pair[] {
  const pairs: Pair[] = [];
  for (const [first, a] of vectors.entries()) {
    for (let second = first + 1; second < vectors.length; second++) {
      pairs.push({ first, second, cosine: cosineOf(a, vectors[second] as Float32Array) });
    }
  }
  return pairs.sort((a, b) => b.cosine - a.cosine || a.first - b.first || a.second - b.second).slice(0, most);
}
