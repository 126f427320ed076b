import { expect, test } from "vitest";
import { compareWays } from "./compare-ways.ts";
import type { ModelSummary, Outcome, Picture } from "./page-state.ts";

const done = (engine: string, vector: readonly number[], vectorSpace = "space"): Outcome => ({
  ...{ kind: "done", engine, vectorSpace, vector: Float32Array.from(vector), totalMs: 1 },
  timings: { decodeMs: 0, preprocessMs: 0, inferMs: 0 },
});
const model: ModelSummary = {
  ...{ name: "m", dimension: 2, tolerance: 1e-6 },
  forms: [
    { variant: "fp32", vectorSpace: "space", bytes: 4 },
    {
      ...{ variant: "fp16", vectorSpace: "space of fp16", bytes: 2 },
      accuracy: { minCosine: 0.999, photoMinCosine: 0.999, maxAbsError: 5e-4 },
    },
    {
      ...{ variant: "int8", vectorSpace: "space of int8", bytes: 1 },
      accuracy: { minCosine: 0.98, photoMinCosine: 0.99 },
    },
  ],
};
const picture = (outcomes: Picture["outcomes"]): Picture => ({
  ...{ id: 1, name: "a.jpg", bytes: 1, preview: { kind: "waiting" } },
  outcomes,
});

test("each way is compared with each, and the furthest apart come first", () => {
  const differences = compareWays(
    picture({
      "ort-wasm": done("ort-wasm", [1, 2 ** -19]),
      server: done("simd", [1, 0]),
      simd: done("simd", [1, 2 ** -21]),
    }),
    model,
  );
  expect(differences).toEqual([
    {
      ...{ first: "server", second: "ort-wasm", kind: "measured", maxAbsError: 2 ** -19 },
      ...{ cosine: expect.closeTo(1, 10), tolerance: 2e-6, isWithin: true },
    },
    expect.objectContaining({ first: "simd", second: "ort-wasm", maxAbsError: 2 ** -19 - 2 ** -21 }),
    expect.objectContaining({ first: "server", second: "simd", maxAbsError: 2 ** -21 }),
  ]);
});

test.each([
  // Each may be away from Keras by its own tolerance, to either side.
  { a: "simd", b: "ort-wasm", tolerance: 2e-6 },
  { a: "simd", b: "ort-webgpu", tolerance: 6e-6 },
  { a: "ort-webgpu", b: "ort-webgpu", tolerance: 1e-5 },
  // Of a server that is newer than this page.
  { a: "unheard-of", b: "simd", tolerance: 2e-6 },
])("$a and $b may be $tolerance apart", ({ a, b, tolerance }) => {
  const off = (difference: number) =>
    compareWays(picture({ server: done(a, [1, 0]), simd: done(b, [1, difference]) }), model)[0];
  expect(off(tolerance * 0.99)).toMatchObject({ tolerance: expect.closeTo(tolerance, 12), isWithin: true });
  expect(off(tolerance * 1.01)).toMatchObject({ isWithin: false });
});

test("vectors of another model are not compared, and come last", () => {
  const differences = compareWays(
    picture({
      server: done("simd", [1, 0], "another space"),
      simd: done("simd", [0, 1]),
      "ort-wasm": done("ort-wasm", [0, 1]),
    }),
    model,
  );
  expect(differences).toEqual([
    expect.objectContaining({ first: "simd", second: "ort-wasm", kind: "measured", isWithin: true }),
    { first: "server", second: "simd", kind: "other-model" },
    { first: "server", second: "ort-wasm", kind: "other-model" },
  ]);
});

test("forms of the model have a cosine to each other, and are held against no tolerance", () => {
  const differences = compareWays(
    picture({
      server: done("simd", [3, 4]),
      simd: done("simd", [4, 3], "space of fp16"),
      "ort-wasm": done("ort-wasm", [3, 4], "space of int8"),
    }),
    model,
  );
  expect(differences).toEqual([
    {
      ...{ first: "server", second: "simd", kind: "other-form", cosine: 0.96 },
      ...{ firstVariant: "fp32", secondVariant: "fp16" },
    },
    {
      ...{ first: "server", second: "ort-wasm", kind: "other-form", cosine: 1 },
      ...{ firstVariant: "fp32", secondVariant: "int8" },
    },
    {
      ...{ first: "simd", second: "ort-wasm", kind: "other-form", cosine: 0.96 },
      ...{ firstVariant: "fp16", secondVariant: "int8" },
    },
  ]);
});

test("of fp16 engines are held to their tolerance, of int8 to none", () => {
  const two = (space: string) =>
    compareWays(
      picture({ server: done("simd", [1, 0], space), simd: done("simd", [1, 2e-6], space) }),
      model,
    )[0];
  const apart = Math.fround(2e-6);
  expect(two("space of fp16")).toMatchObject({ kind: "measured", tolerance: 2e-6, maxAbsError: apart });
  expect(two("space of int8")).toEqual({
    ...{ first: "server", second: "simd", kind: "rounded", variant: "int8" },
    ...{ maxAbsError: apart, cosine: expect.closeTo(1, 9) },
  });
});

test("a broken vector is never within", () => {
  const [difference] = compareWays(
    picture({ server: done("simd", [1, 0]), simd: done("simd", [1, Number.NaN]) }),
    model,
  );
  expect(difference).toMatchObject({ maxAbsError: Number.NaN, isWithin: false });
});

test("one vector has nothing to be compared with", () => {
  const failed: Outcome = { kind: "failed", error: { reason: "ENGINE_FAILED", message: "lost" } };
  expect(
    compareWays(picture({ server: done("simd", [1]), simd: failed, "ort-wasm": { kind: "working" } }), model),
  ).toEqual([]);
});
