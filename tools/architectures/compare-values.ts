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

type Asked = Pick<Value, "group" | "name">;

/**
 * Group by group, in the order in which they are asked for. A vector of another length, or with NaN, makes `largest` NaN.
 * @throws Error where the reference lacks a value that was asked for: nothing would be compared
 */
export function compareValues(
  asked: readonly Asked[],
  reference: readonly Value[],
  found: readonly Value[],
): readonly GroupComparison[] {
  const [expected, others] = [byKey(reference), byKey(found)];
  return [...Map.groupBy(asked, ({ group }) => group)].map(([group, values]) => {
    const pairs = values
      .map((value) => {
        const key = keyOf(value);
        const wanted = expected.get(key);
        if (wanted === undefined) throw new Error(`there is nothing to compare with: ${key}`);
        return [wanted, others.get(key)] as const;
      })
      .filter(([value, other]) => value.bits !== other?.bits);
    return {
      group,
      compared: values.length,
      different: pairs.map(([{ name }]) => name),
      largest: Math.max(0, ...pairs.map(([value, other]) => differenceOf(value, other))),
    };
  });
}

const keyOf = ({ group, name }: Asked) => `${group} ${name}`;
const byKey = (values: readonly Value[]) => new Map(values.map((value) => [keyOf(value), value]));

function differenceOf({ floats: expected }: Value, other: Value | undefined): number {
  if (expected === undefined || other?.floats === undefined) return Number.NaN;
  const [from, to] = [floatsOf(expected), floatsOf(other.floats)];
  if (from.length !== to.length) return Number.NaN;
  const greatest = from.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return from.reduce((most, value, i) => Math.max(most, Math.abs(value - to[i]!)), 0) / greatest;
}

const floatsOf = (base64: string) => new Float32Array(Uint8Array.from(Buffer.from(base64, "base64")).buffer);
