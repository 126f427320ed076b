/** A vector in words, for those who cannot see its plot. */
export function describeVector(vector: Float32Array): string {
  let smallest = Number.POSITIVE_INFINITY;
  let largest = Number.NEGATIVE_INFINITY;
  let largestAt = 0;
  let zeros = 0;
  for (const [index, value] of vector.entries()) {
    if (value > largest) largestAt = index;
    largest = Math.max(largest, value);
    smallest = Math.min(smallest, value);
    if (value === 0) zeros++;
  }
  return `${vector.length} values from ${smallest.toPrecision(2)} to ${largest.toPrecision(3)}, the largest at ${largestAt}; ${zeros} of them are 0.`;
}
