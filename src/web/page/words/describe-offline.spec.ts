import { expect, test } from "vitest";
import type { PageState, WayStatus } from "../state/page-state.ts";
import { initialState } from "../state/reduce.ts";
import { describeOffline } from "./describe-offline.ts";

const ready: WayStatus = { kind: "ready", engine: "simd", adapter: "" };
const lost: WayStatus = { kind: "failed", error: { reason: "SERVER_UNREACHABLE", message: "gone" } };
const refused: WayStatus = { kind: "failed", error: { reason: "UNAUTHENTICATED", message: "no token" } };
const off: WayStatus = { kind: "off" };

const keptOnly = "An engine in this browser works if it was used here before: its model was kept then.";
test.each<[boolean, WayStatus, WayStatus, string | undefined]>([
  [true, ready, ready, undefined],
  [true, refused, off, undefined],
  [true, lost, ready, "The server does not answer. What works: Browser, SIMD kernels."],
  [true, lost, off, `The server does not answer. ${keptOnly}`],
  [false, ready, ready, "You are offline. What works: Browser, SIMD kernels."],
  [false, ready, off, `You are offline. ${keptOnly}`],
])("online %o, server %o, simd %o: %s", (isOnline, server, simd, text) => {
  const way = (status: WayStatus) => ({ isOn: true, status, notKept: "", losses: 0, replaced: "" });
  const state: PageState = {
    ...{ ...initialState, isOnline },
    ways: { ...initialState.ways, server: way(server), simd: way(simd) },
  };
  expect(describeOffline(state)).toBe(text);
});
