/** One vector near another. */
export interface Neighbour {
  /** Row of the vector. */
  readonly index: number;
  /** Squared Euclidean distance, which is what Milvus and Faiss give for the metric L2: 0 to 4 for vectors of norm 1. */
  readonly squaredL2: number;
  /** -1 to 1 for vectors of norm 1. */
  readonly cosine: number;
}

/**
 * The nearest of all other rows, nearest first; equally near ones in the order of their rows. Exact: every row is looked
 * at. Sums are made in float64.
 * @param vectors (rows, dimension) float32, each row with L2 norm 1
 * @param query row whose neighbours are wanted; it is no neighbour of itself
 * @returns at most `count`, fewer if there are not as many other rows
 */
export function nearestNeighbours(
  vectors: Float32Array,
  dimension: number,
  query: number,
  count: number,
): Neighbour[] {
  const rows = vectors.length / dimension;
  const own = vectors.subarray(query * dimension, (query + 1) * dimension);
  const nearest: Neighbour[] = [];
  for (let index = 0; index < rows; index++) {
    if (index === query) continue;
    const other = vectors.subarray(index * dimension, (index + 1) * dimension);
    const farthest =
      nearest.length === count ? (nearest.at(-1) as Neighbour).squaredL2 : Number.POSITIVE_INFINITY;
    const squaredL2 = squaredDistance(own, other, farthest);
    if (squaredL2 >= farthest) continue;
    const place = nearest.findIndex((one) => squaredL2 < one.squaredL2);
    nearest.splice(place === -1 ? nearest.length : place, 0, {
      index,
      squaredL2,
      cosine: dot(own, other),
    });
    if (nearest.length > count) nearest.pop();
  }
  return nearest;
}

/** Numbers after which a distance that is too large already is given up. */
const stride = 256;

/**
 * Four sums at once, which a processor adds in parallel: a third of the time of one.
 * @returns the squared distance, or a part of it that is `enough` or more
 */
function squaredDistance(a: Float32Array, b: Float32Array, enough: number): number {
  let sum = 0;
  for (let start = 0; start < a.length && sum < enough; start += stride) {
    const end = Math.min(start + stride, a.length);
    let [s0, s1, s2, s3] = [0, 0, 0, 0];
    let i = start;
    for (; i + 3 < end; i += 4) {
      const d0 = (a[i] as number) - (b[i] as number);
      const d1 = (a[i + 1] as number) - (b[i + 1] as number);
      const d2 = (a[i + 2] as number) - (b[i + 2] as number);
      const d3 = (a[i + 3] as number) - (b[i + 3] as number);
      s0 += d0 * d0;
      s1 += d1 * d1;
      s2 += d2 * d2;
      s3 += d3 * d3;
    }
    for (; i < end; i++) s0 += ((a[i] as number) - (b[i] as number)) ** 2;
    sum += s0 + s1 + s2 + s3;
  }
  return sum;
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
}

/**
 * How much of their neighbours two models share: the mean over all pictures of (neighbours of both) / (neighbours of one).
 * @param a of each picture, its neighbours by one model
 * @param b the same by another, with as many for each picture
 * @returns 0 to 1, or undefined if no picture has a neighbour
 */
export function meanOverlap(
  a: readonly (readonly Neighbour[])[],
  b: readonly (readonly Neighbour[])[],
): number | undefined {
  let shared = 0;
  let all = 0;
  for (const [query, ofA] of a.entries()) {
    const ofB = new Set(b[query]?.map(({ index }) => index));
    shared += ofA.filter(({ index }) => ofB.has(index)).length;
    all += ofA.length;
  }
  return all === 0 ? undefined : shared / all;
}
