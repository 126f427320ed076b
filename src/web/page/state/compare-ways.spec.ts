import { expect, test } from "vitest";
import { compareWays } from "./compare-ways.ts";
import type { Outcome, Picture } from "./page-state.ts";

const done = (engine: string, vector: readonly number[], vectorSpace = "space"): Outcome => ({
  ...{ kind: "done", engine, vectorSpace, vector: Float32Array.from(vector), totalMs: 1 },
  timings: { decodeMs: 0, preprocessMs: 0, inferMs: 0 },
});
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
    1e-6,
  );
  expect(differences).toEqual([
    {
      ...{ first: "server", second: "ort-wasm", isComparable: true, maxAbsError: 2 ** -19 },
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
    compareWays(picture({ server: done(a, [1, 0]), simd: done(b, [1, difference]) }), 1e-6)[0];
  expect(off(tolerance * 0.99)).toMatchObject({ tolerance: expect.closeTo(tolerance, 12), isWithin: true });
  expect(off(tolerance * 1.01)).toMatchObject({ isWithin: false });
});

test("vectors of different spaces are not compared, and come last", () => {
  const differences = compareWays(
    picture({
      server: done("simd", [1, 0], "another space"),
      simd: done("simd", [0, 1]),
      "ort-wasm": done("ort-wasm", [0, 1]),
    }),
    1e-6,
  );
  expect(
    differences.map(({ first, second, isComparable, isWithin }) => [first, second, isComparable, isWithin]),
  ).toEqual([
    ["simd", "ort-wasm", true, true],
    ["server", "simd", false, false],
    ["server", "ort-wasm", false, false],
  ]);
});

test("a broken vector is never within", () => {
  const [difference] = compareWays(
    picture({ server: done("simd", [1, 0]), simd: done("simd", [1, Number.NaN]) }),
    1e-6,
  );
  expect(difference).toMatchObject({ maxAbsError: Number.NaN, isWithin: false });
});

test("one vector has nothing to be compared with", () => {
  const failed: Outcome = { kind: "failed", error: { reason: "ENGINE_FAILED", message: "lost" } };
  expect(
    compareWays(picture({ server: done("simd", [1]), simd: failed, "ort-wasm": { kind: "working" } }), 1e-6),
  ).toEqual([]);
});
