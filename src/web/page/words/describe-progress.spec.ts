import { describe, expect, test } from "vitest";
import type { Outcome, PageState, Picture, Preview, WayStatus } from "../state/page-state.ts";
import { initialState } from "../state/reduce.ts";
import type { WayName } from "../state/way-names.ts";
import { announcementOf, describeProgress, progressOf } from "./describe-progress.ts";

const done: Outcome = {
  ...{ kind: "done", engine: "simd", vectorSpace: "space", vector: Float32Array.of(1), totalMs: 1 },
  timings: { decodeMs: 0, preprocessMs: 0, inferMs: 0 },
};
const error = { reason: "IMAGE_CORRUPT", message: "cut" } as const;
const failed: Outcome = { kind: "failed", error };
const ready: Preview = {
  ...{ kind: "ready", format: "png", width: 1, height: 1 },
  seen: { width: 1, height: 1, data: new Uint8Array(3) },
};
const readyWay: WayStatus = { kind: "ready", engine: "simd", adapter: "" };
const lost: WayStatus = { kind: "failed", error: { reason: "SERVER_UNREACHABLE", message: "gone" } };

function state(
  ways: Partial<Record<WayName, WayStatus>>,
  ...pictures: readonly (readonly [Preview, Picture["outcomes"]])[]
): PageState {
  const on = Object.entries(ways).map(([name, status]) => [
    name,
    { isOn: true, status, notKept: "", replaced: "" },
  ]);
  return {
    ...initialState,
    ways: { ...initialState.ways, ...Object.fromEntries(on) },
    pictures: pictures.map(([preview, outcomes], id) => ({ id, name: `${id}`, bytes: 1, preview, outcomes })),
  };
}

describe("a picture is settled", () => {
  const waiting: Preview = { kind: "waiting" };
  const unreadable: Preview = { kind: "unreadable", error };
  test.each<[string, Partial<Record<WayName, WayStatus>>, Preview, Picture["outcomes"], number, number]>([
    ["not before it was looked at", {}, waiting, {}, 0, 0],
    ["when it cannot be read", { server: readyWay }, unreadable, {}, 1, 1],
    ["without any way", {}, ready, {}, 1, 0],
    ["not while a way has still to begin", { server: readyWay, simd: readyWay }, ready, { simd: done }, 0, 0],
    ["not while a way is about to open", { simd: { kind: "starting" } }, ready, {}, 0, 0],
    ["not while a way works on it", { simd: readyWay }, ready, { simd: { kind: "working" } }, 0, 0],
    [
      "when every way is done",
      { server: readyWay, simd: readyWay },
      ready,
      { server: done, simd: done },
      1,
      0,
    ],
    ["when a way failed with it", { simd: readyWay }, ready, { simd: failed }, 1, 1],
    ["when the only way is lost", { server: lost }, ready, {}, 1, 0],
  ])("%s", (_name, ways, preview, outcomes, settled, failures) => {
    expect(progressOf(state(ways, [preview, outcomes]))).toEqual({ total: 1, settled, failed: failures });
  });
});

test.each([
  [{ total: 1, settled: 0, failed: 0 }, "0 of 1 picture done."],
  [{ total: 3, settled: 2, failed: 1 }, "2 of 3 pictures done, 1 with an error."],
  [{ total: 3, settled: 3, failed: 0 }, "3 pictures done."],
])("%o reads %s", (progress, text) => {
  expect(describeProgress(progress)).toBe(text);
});

describe("what is said aloud", () => {
  const downloading = (receivedBytes: number): WayStatus => ({
    ...{ kind: "downloading", totalBytes: 100 },
    receivedBytes,
  });
  test.each<[string, PageState, string]>([
    ["nothing at first", state({}), ""],
    ["a way that is ready", state({ server: readyWay }), "Server is ready."],
    ["a way that failed", state({ server: lost }), "Server: The server does not answer."],
    [
      "work that has begun",
      state({ simd: readyWay }, [ready, {}], [ready, { simd: done }]),
      "Browser, SIMD kernels is ready. Working on 2 pictures.",
    ],
    [
      "work that is done",
      state({ simd: readyWay }, [ready, { simd: failed }], [ready, { simd: done }]),
      "Browser, SIMD kernels is ready. 2 pictures done, 1 with an error.",
    ],
  ])("%s", (_name, given, text) => {
    expect(announcementOf(given)).toBe(text);
  });

  test("does not change with each piece of a download", () => {
    expect(announcementOf(state({ simd: downloading(1) }))).toBe(
      "Browser, SIMD kernels downloads the model.",
    );
    expect(announcementOf(state({ simd: downloading(50) }))).toBe(
      announcementOf(state({ simd: downloading(1) })),
    );
  });
});
