import { expect, test } from "vitest";
import { interpolations } from "../../src/preprocess/preprocess-spec.ts";
import { compareValues } from "./compare-values.ts";
import { listAsked, type Value, type Work } from "./work.ts";

const vector = (name: string, ...values: number[]): Value => {
  const floats = Buffer.from(Float32Array.from(values).buffer).toString("base64");
  return { group: "simd-plain", name, bits: floats, floats };
};
const picture = (name: string, bits: string): Value => ({ group: "pixels", name, bits });

const asked = [
  { group: "pixels", name: "a.png" },
  { group: "pixels", name: "b.png" },
  { group: "simd-plain", name: "net" },
] as const;
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
  expect(compareValues(asked, reference, found)).toEqual([
    { group: "pixels", compared: 2, ...pixels },
    { group: "simd-plain", compared: 1, ...plain },
  ]);
});

test.each([
  ["a group", reference.slice(0, 2), "simd-plain net"],
  ["a value", reference.slice(1), "pixels a.png"],
])("a reference without %s that was asked for compares nothing", (_, part, key) => {
  expect(() => compareValues(asked, part, part)).toThrow(`there is nothing to compare with: ${key}`);
});

test("what a reference has beside it is left out, as what a Node lacks", () => {
  expect(compareValues(asked.slice(0, 2), reference, reference)).toEqual([
    { group: "pixels", compared: 2, different: [], largest: 0 },
  ]);
});

test("each value of a work is asked for", () => {
  const run = { onnx: "net.onnx", input: { tensor: "net.f32", batch: 1 } };
  const work: Work = {
    ...{ pictures: ["a.png"], maxPixels: 1, filters: true },
    runs: [
      { ...run, name: "net", engines: ["simd-plain", "ort-wasm"] },
      { ...run, name: "other", engines: [] },
    ],
  };
  const all = listAsked(work).map(({ group, name }) => `${group} ${name}`);
  expect(all).toEqual([
    "pixels a.png",
    ...interpolations.map((name) => `filters ${name}`),
    "simd-plain net",
    "ort-wasm net",
  ]);
  expect(listAsked({ ...work, filters: false, pictures: [] })).toHaveLength(2);
});
