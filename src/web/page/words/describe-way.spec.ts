import { expect, test } from "vitest";
import type { WayStatus } from "../state/page-state.ts";
import { initialState } from "../state/reduce.ts";
import type { WayName } from "../state/way-names.ts";
import { describeWaiting } from "./describe-waiting.ts";
import { describeWay } from "./describe-way.ts";

const failed: WayStatus = { kind: "failed", error: { reason: "SERVER_UNREACHABLE", message: "gone" } };
const downloading: WayStatus = { kind: "downloading", receivedBytes: 41_000_000, totalBytes: 93_948_815 };

test.each<[WayName, WayStatus, string, string]>([
  ["simd", { kind: "queued" }, "Waiting for another engine to open", "Waits for the start"],
  ["simd", downloading, "Downloading the model: 41.0 MB of 93.9 MB", "Waits for the model"],
  ["simd", { kind: "starting" }, "Starting", "Waits for the start"],
  ["server", { kind: "starting" }, "Waiting for the server", "Waits for the start"],
  ["simd", { kind: "ready", engine: "simd", adapter: "" }, "Ready, engine simd", "Waits for its turn"],
  ["server", { kind: "ready", engine: "", adapter: "" }, "Ready", "Waits for its turn"],
  ["server", failed, "The server does not answer.", "Not computed. The server does not answer."],
])("%s %o", (name, status, said, waiting) => {
  const way = { ...initialState.ways[name], isOn: true, status };
  expect(describeWay(name, way)).toBe(said);
  const state = { ...initialState, ways: { ...initialState.ways, [name]: way } };
  expect(describeWaiting(state)).toEqual({ [name]: waiting });
});

test("ways that are off have no picture waiting", () => {
  const unavailable = { ...initialState.ways.simd, status: { kind: "unavailable", why: "No GPU." } } as const;
  expect(describeWaiting({ ...initialState, ways: { ...initialState.ways, simd: unavailable } })).toEqual({});
  expect(describeWay("simd", unavailable)).toBe("Not available here. No GPU.");
  expect(describeWay("simd", initialState.ways.simd)).toBe("Off");
});
