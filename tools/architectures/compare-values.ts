import type { Value } from "./work.ts";

/** What the values of one group on one Node come to, against those of the reference. */
export interface GroupComparison {
  readonly group: Value["group"];
  readonly compared: number;
  /** Names of values that are missing, or are not the same bits. */
  readonly different: readonly string[];
  /** Of the vectors that are not the same bits: the largest difference, as a part of the vector's largest value. */
  readonly largest: number;
}

/** Group by group, in the order of the reference. A vector of another length, or with NaN, makes `largest` NaN. */
export function compareValues(
  reference: readonly Value[],
  found: readonly Value[],
): readonly GroupComparison[] {
  const keyOf = ({ group, name }: Value) => `${group} ${name}`;
  const byKey = new Map(found.map((value) => [keyOf(value), value]));
  return [...Map.groupBy(reference, ({ group }) => group)].map(([group, values]) => {
    const pairs = values
      .map((value) => [value, byKey.get(keyOf(value))] as const)
      .filter(([value, other]) => value.bits !== other?.bits);
    return {
      group,
      compared: values.length,
      different: pairs.map(([{ name }]) => name),
      largest: Math.max(0, ...pairs.map(([value, other]) => differenceOf(value, other))),
    };
  });
}

function differenceOf({ floats: expected }: Value, other: Value | undefined): number {
  if (expected === undefined || other?.floats === undefined) return Number.NaN;
  const [from, to] = [floatsOf(expected), floatsOf(other.floats)];
  if (from.length !== to.length) return Number.NaN;
  const greatest = from.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return from.reduce((most, value, i) => Math.max(most, Math.abs(value - to[i]!)), 0) / greatest;
}

const floatsOf = (base64: string) => new Float32Array(Uint8Array.from(Buffer.from(base64, "base64")).buffer);
