import { describe, expect, test } from "vitest";
import type { PageAction } from "./page-action.ts";
import type { Outcome, PageState, Preview } from "./page-state.ts";
import { initialState, reduce } from "./reduce.ts";

const stateAfter = (...actions: readonly PageAction[]): PageState => actions.reduce(reduce, initialState);
const add = (...ids: readonly number[]): PageAction => ({
  kind: "pictures-added",
  pictures: ids.map((id) => ({ id, name: `${id}.jpg`, bytes: 10 * id })),
});
const done: Outcome = {
  ...{ kind: "done", engine: "simd", vectorSpace: "space", vector: Float32Array.of(1), totalMs: 1 },
  timings: { decodeMs: 0, preprocessMs: 0, inferMs: 0 },
};
const outcome = (id: number): PageAction => ({ kind: "outcome", id, way: "simd", outcome: done });

describe("pictures", () => {
  test("come in their order, and wait for their preview", () => {
    expect(stateAfter(add(1, 2), add(3)).pictures).toEqual(
      [1, 2, 3].map((id) => ({
        ...{ id, name: `${id}.jpg`, bytes: 10 * id },
        ...{ preview: { kind: "waiting" }, outcomes: {} },
      })),
    );
  });

  test("that are refused are unreadable from the start", () => {
    const refusal = { reason: "SOURCE_TOO_LARGE", message: "too large" } as const;
    const [picture] = stateAfter({
      kind: "pictures-added",
      pictures: [{ id: 1, name: "a", bytes: 1, refusal }],
    }).pictures;
    expect(picture).toEqual({
      ...{ id: 1, name: "a", bytes: 1 },
      ...{ preview: { kind: "unreadable", error: refusal }, outcomes: {} },
    });
  });

  test("are removed one by one or all at once", () => {
    expect(stateAfter(add(1, 2, 3), { kind: "picture-removed", id: 2 }).pictures.map(({ id }) => id)).toEqual(
      [1, 3],
    );
    expect(stateAfter(add(1, 2), { kind: "notice", text: "left out" }, { kind: "pictures-cleared" })).toEqual(
      initialState,
    );
  });

  test("that were removed are not brought back by what comes late", () => {
    const removed = stateAfter(add(1), { kind: "picture-removed", id: 1 });
    expect(reduce(removed, outcome(1))).toBe(removed);
    const preview: Preview = { kind: "waiting" };
    expect(reduce(removed, { kind: "preview-made", id: 1, preview })).toBe(removed);
  });

  test("keep what does not concern them the same object", () => {
    const before = stateAfter(add(1, 2));
    const [first, second] = reduce(before, outcome(2)).pictures;
    expect(first).toBe(before.pictures[0]);
    expect(second?.outcomes).toEqual({ simd: done });
  });

  test("forget an outcome, as if the way had never seen them", () => {
    const forgotten = stateAfter(add(1), outcome(1), { kind: "outcome-forgotten", id: 1, way: "simd" });
    expect(forgotten).toEqual(stateAfter(add(1)));
  });
});

describe("a way", () => {
  test("that is switched off takes its vectors, its state and its choice with it", () => {
    const on = stateAfter(
      add(1),
      { kind: "way-switched", way: "simd", isOn: true },
      { kind: "way-status", way: "simd", status: { kind: "ready", engine: "simd", adapter: "" } },
      { kind: "way-not-kept", way: "simd", why: "full" },
      { kind: "way-replaced", way: "simd", why: "lost" },
      { kind: "way-replaced", way: "simd", why: "lost again" },
      outcome(1),
      { kind: "compared-way", way: "simd" },
    );
    expect(on.ways.simd).toEqual({
      ...{ isOn: true, notKept: "full", losses: 2, replaced: "lost again" },
      status: { kind: "ready", engine: "simd", adapter: "" },
    });
    expect(reduce(on, { kind: "way-switched", way: "simd", isOn: false })).toEqual(stateAfter(add(1)));
  });

  test("that is switched off leaves the others", () => {
    const state = stateAfter(
      add(1),
      { kind: "way-switched", way: "server", isOn: true },
      outcome(1),
      { kind: "compared-way", way: "simd" },
      { kind: "way-switched", way: "server", isOn: false },
    );
    expect(state.pictures[0]?.outcomes).toEqual({ simd: done });
    expect(state.comparedWay).toBe("simd");
  });
});

test("another form of the model makes the ways in the browser begin anew, those that are on", () => {
  const before = stateAfter(
    add(1),
    { kind: "way-switched", way: "simd", isOn: true },
    { kind: "way-status", way: "simd", status: { kind: "ready", engine: "simd", adapter: "" } },
    { kind: "way-replaced", way: "simd", why: "lost" },
    { kind: "way-status", way: "ort-webgpu", status: { kind: "unavailable", why: "No GPU." } },
    { kind: "way-switched", way: "server", isOn: true },
    outcome(1),
    { kind: "outcome", id: 1, way: "server", outcome: done },
    { kind: "compared-way", way: "simd" },
  );
  const after = reduce(before, { kind: "variant-chosen", variant: "int8" });
  expect(after.variant).toBe("int8");
  expect(after.ways).toEqual({
    ...before.ways,
    simd: { isOn: true, status: { kind: "off" }, notKept: "", losses: 0, replaced: "" },
  });
  expect(after.pictures[0]?.outcomes).toEqual({ server: done });
  expect(after.comparedWay).toBe("simd");
});

test("model, GPU, network and notice are kept as they are told", () => {
  const model = { name: "m", dimension: 1, tolerance: 1e-6, forms: [] };
  expect(
    stateAfter(
      { kind: "model-known", model },
      { kind: "gpu-is-software" },
      { kind: "online", isOnline: false },
      { kind: "notice", text: "hello" },
    ),
  ).toEqual({ ...initialState, model, isGpuSoftware: true, isOnline: false, notice: "hello" });
});
