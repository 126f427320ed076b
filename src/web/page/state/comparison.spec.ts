import { expect, test } from "vitest";
import { chosenWay, comparisonOf, shownVector, waysWithVectors } from "./comparison.ts";
import type { Outcome, PageState, Picture } from "./page-state.ts";
import { initialState } from "./reduce.ts";
import type { WayName } from "./way-names.ts";

const done = (value: number, vectorSpace = "space"): Outcome => ({
  ...{ kind: "done", engine: "simd", vectorSpace, vector: Float32Array.of(value), totalMs: 1 },
  timings: { decodeMs: 0, preprocessMs: 0, inferMs: 0 },
});
const picture = (id: number, outcomes: Picture["outcomes"]): Picture => ({
  ...{ id, name: `${id}`, bytes: 1, preview: { kind: "waiting" } },
  outcomes,
});
const state = (pictures: readonly Picture[], comparedWay?: WayName): PageState => ({
  ...initialState,
  pictures,
  comparedWay,
});
const pictures = [
  picture(1, { simd: done(1), server: { kind: "working" } }),
  picture(2, { "ort-wasm": done(2), simd: done(3) }),
  picture(3, {}),
];

test("ways with vectors come in their own order", () => {
  expect(waysWithVectors(pictures)).toEqual(["simd", "ort-wasm"]);
  expect(waysWithVectors([])).toEqual([]);
});

test.each([
  { chosen: undefined, way: "simd" },
  { chosen: "ort-wasm", way: "ort-wasm" },
  // It has no vector yet.
  { chosen: "server", way: "simd" },
] as const)("$way is compared where $chosen was chosen", ({ chosen, way }) => {
  expect(chosenWay(state(pictures, chosen))).toBe(way);
});

test("only pictures with a vector of the chosen way are compared", () => {
  const [first, second] = pictures as [Picture, Picture];
  expect(comparisonOf(state(pictures))).toEqual({
    way: "simd",
    pictures: [first, second],
    vectors: [Float32Array.of(1), Float32Array.of(3)],
    vectorSpace: "space",
    leftOut: 0,
  });
  expect(comparisonOf(state([picture(1, {})]))).toBeUndefined();
});

test("vectors of a space that is gone are left out", () => {
  const old = picture(1, { server: done(1, "old") });
  const now = picture(2, { server: done(2, "new") });
  expect(comparisonOf(state([old, now]))).toMatchObject({ pictures: [now], vectorSpace: "new", leftOut: 1 });
});

test("the vector of the chosen way is shown, else the first that there is", () => {
  const two = pictures[1] as Picture;
  expect(shownVector(two, "ort-wasm")?.[0]).toBe("ort-wasm");
  expect(shownVector(two, "server")?.[0]).toBe("simd");
  expect(shownVector(picture(1, {}), "server")).toBeUndefined();
});
