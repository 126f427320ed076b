/** For each vector the indexes of all others, nearest first: by the product of both, which for a norm of 1 is the cosine. */
export function neighbourOrder(vectors: readonly Float32Array[]): number[][] {
  return vectors.map((vector, own) => {
    const nearness = vectors.map((other) => other.reduce((sum, value, i) => sum + value * vector[i]!, 0));
    return [...vectors.keys()].filter((index) => index !== own).sort((a, b) => nearness[b]! - nearness[a]!);
  });
}
