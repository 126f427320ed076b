import { expect, test } from "vitest";
import { compareValues } from "./compare-values.ts";
import type { Value } from "./work.ts";

const vector = (name: string, ...values: number[]): Value => {
  const floats = Buffer.from(Float32Array.from(values).buffer).toString("base64");
  return { group: "simd-plain", name, bits: floats, floats };
};
const picture = (name: string, bits: string): Value => ({ group: "pixels", name, bits });

const reference = [picture("a.png", "1"), picture("b.png", "2"), vector("net", 1, -4)];

test.each<[string, readonly Value[], object, object]>([
  ["the same", reference, { different: [], largest: 0 }, { different: [], largest: 0 }],
  [
    "one pixel and one value differ",
    [picture("a.png", "1"), picture("b.png", "3"), vector("net", 1.5, -4)],
    { different: ["b.png"], largest: Number.NaN },
    { different: ["net"], largest: 0.125 },
  ],
  [
    "values are missing",
    [picture("b.png", "2")],
    { different: ["a.png"], largest: Number.NaN },
    { different: ["net"], largest: Number.NaN },
  ],
  [
    "a value is no number",
    [...reference.slice(0, 2), vector("net", 1, Number.NaN)],
    { different: [], largest: 0 },
    { different: ["net"], largest: Number.NaN },
  ],
  [
    "minus zero is not zero, though nothing lies between them",
    [...reference.slice(0, 2), { ...vector("net", 1, -4), bits: "other" }],
    { different: [], largest: 0 },
    { different: ["net"], largest: 0 },
  ],
])("%s", (_, found, pixels, plain) => {
  expect(compareValues(reference, found)).toEqual([
    { group: "pixels", compared: 2, ...pixels },
    { group: "simd-plain", compared: 1, ...plain },
  ]);
});
