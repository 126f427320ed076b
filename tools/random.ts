/** Random numbers that follow from a seed alone, so that one case of a run can be made again. */
export interface Random {
  /** A whole number from 0 to `limit` - 1. */
  below(limit: number): number;
  /** True in `percent` of 100 cases. */
  chance(percent: number): boolean;
  pick<T>(values: readonly T[]): T;
  bytes(length: number): Uint8Array;
}

/**
 * The random numbers of case number `index` in the run `seed`: xorshift32 (Marsaglia, 2003), from a start that
 * mixes both numbers, since neighbouring starts give similar first numbers.
 */
export function createRandom(seed: number, index: number): Random {
  let state = mix(mix(seed) + index) || 1;
  function next(): number {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  }
  const below = (limit: number) => Math.floor((next() / 2 ** 32) * limit);
  return {
    below,
    chance: (percent) => below(100) < percent,
    pick: (values) => values[below(values.length)]!,
    bytes: (length) => Uint8Array.from({ length }, () => below(256)),
  };
}

/** Each bit of the answer depends on each bit of `value` (the last step of MurmurHash3). */
function mix(value: number): number {
  let hash = value | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
