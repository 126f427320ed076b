/** Rows of a product come in groups of six, and of five where that leaves none over. */
export interface RowGroups {
  readonly sixes: number;
  readonly fives: number;
}

/**
 * Groups for `count` rows, as many as can be of the `preferred` size; where no sum of sixes and fives is `count`, a
 * few rows more.
 */
export function groupRows(count: number, preferred: 5 | 6): RowGroups {
  const fives = (6 - (count % 6)) % 6;
  const sixes = (count - 5 * fives) / 6;
  if (sixes < 0) return { sixes: Math.ceil(count / 6), fives: 0 };
  return preferred === 6 ? { sixes, fives } : { sixes: sixes % 5, fives: fives + 6 * Math.floor(sixes / 5) };
}

/** Where group number `group` begins. */
export function firstRow({ sixes }: RowGroups, group: number): number {
  return 6 * Math.min(group, sixes) + 5 * Math.max(0, group - sixes);
}

/** Groups [from, to) of them. */
export function sliceGroups({ sixes }: RowGroups, from: number, to: number): RowGroups {
  const inSixes = Math.max(0, Math.min(to, sixes) - Math.min(from, sixes));
  return { sixes: inSixes, fives: to - from - inSixes };
}

/** Part number `part` of `parts` of a range of `count`, as even as can be. */
export function shareOf(count: number, part: number, parts: number): readonly [from: number, to: number] {
  return [Math.floor((count * part) / parts), Math.floor((count * (part + 1)) / parts)];
}
