import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { afterEach, expect, test } from "vitest";
import type { GangThreadReport, GangThreadSetup } from "../../../tools/gang/gang-thread.ts";
import {
  abortGang,
  addHelper,
  callOffHelper,
  createGangStates,
  type GangState,
  gangStateOf,
  removeHelper,
} from "./gang-state.ts";

const steps = 60;
const leaderSeat = 0;
const threads: Worker[] = [];
afterEach(async () => {
  await Promise.all(threads.splice(0).map((thread) => thread.terminate()));
});

interface Thread {
  /** Undefined once it has ended without a report. */
  readonly report: Promise<GangThreadReport | undefined>;
  /** Of a leader: helpers may come. */
  readonly opened: Promise<void>;
  begin(): void;
}

async function startThread(setup: GangThreadSetup): Promise<Thread> {
  const worker = new Worker(new URL("../../../tools/gang/gang-thread.ts", import.meta.url), {
    workerData: setup,
  });
  threads.push(worker);
  await once(worker, "message");
  const report = Promise.withResolvers<GangThreadReport | undefined>();
  const opened = Promise.withResolvers<void>();
  worker.on("message", (message: "open" | GangThreadReport) => {
    if (message === "open") opened.resolve();
    else report.resolve(message);
  });
  worker.once("exit", () => report.resolve(undefined));
  return { report: report.promise, opened: opened.promise, begin: () => worker.postMessage("begin") };
}

/** A leader and its helpers; the host's part (who helps, who was lost) is played here. */
async function runGang(faults: readonly GangThreadSetup["fault"][], partTimeoutMs = 10_000) {
  const states = createGangStates(1 + faults.length);
  const runs = new SharedArrayBuffer(2 * steps * 4);
  const isFaulty = faults.some((fault) => fault !== "none");
  const hasFault = new SharedArrayBuffer(4);
  const expected = faults.length;
  const common = { states, runs, steps, leaderSeat, partTimeoutMs, expected, hasFault, isFaulty };
  const leader = await startThread({ ...common, role: "leader", seat: leaderSeat, fault: "none" });
  const state = gangStateOf(states, leaderSeat) as GangState;
  const helpers = await Promise.all(
    faults.map((fault, index) => startThread({ ...common, role: "helper", seat: 1 + index, fault })),
  );
  for (const [index, helper] of helpers.entries()) {
    addHelper(state, gangStateOf(states, 1 + index) as GangState);
    void helper.report.then((report) => {
      if (!report) abortGang(state);
      removeHelper(state);
    });
  }
  leader.begin();
  await leader.opened;
  for (const helper of helpers) helper.begin();
  return { states, state, runs: new Int32Array(runs), leader, helpers };
}

test.each([0, 1, 2, 3])(
  "with %i helpers every part is run once, and no step begins too early",
  async (count) => {
    const { leader, helpers, runs } = await runGang(Array.from({ length: count }, () => "none"));
    const reports = [await leader.report, ...(await Promise.all(helpers.map(({ report }) => report)))];
    expect(reports.map((report) => report?.outcome)).toEqual(["true", ...helpers.map(() => "left")]);
    expect(reports.map((report) => report?.early)).toEqual(reports.map(() => 0));
    // As many parts were run in all as the steps were cut into.
    expect(runs.subarray(0, steps)).toEqual(runs.subarray(steps));
    const run = reports.reduce((sum, report) => sum + (report?.parts ?? 0), 0);
    expect(run).toBe(runs.subarray(0, steps).reduce((sum, parts) => sum + parts, 0));
    expect(run).toBeGreaterThanOrEqual(steps);
  },
);

test.each<[fault: GangThreadSetup["fault"], helper: string | undefined]>([
  ["dies", undefined],
  ["throws", "a trap of the test"],
])("the loss of a helper that %s ends the gang; other helpers leave", async (fault, outcome) => {
  const { leader, helpers } = await runGang([fault, "none"]);
  expect((await leader.report)?.outcome).toBe("false");
  expect((await helpers[0]?.report)?.outcome).toBe(outcome);
  expect((await helpers[1]?.report)?.outcome).toBe("left");
});

test("a helper that hangs is waited for no longer than the limit", async () => {
  const { leader } = await runGang(["hangs"], 300);
  expect((await leader.report)?.outcome).toBe(
    "simd: expected the threads that share a picture to finish their parts within 300 ms",
  );
});

test("a helper that is called off leaves, and the picture is finished without it", async () => {
  const { leader, helpers, states, state } = await runGang(["none"]);
  callOffHelper(state, gangStateOf(states, 1) as GangState);
  expect((await helpers[0]?.report)?.outcome).toBe("left");
  expect((await leader.report)?.outcome).toBe("true");
});

test("a helper that comes when the picture is finished leaves after a while", async () => {
  const states = createGangStates(2);
  const runs = new SharedArrayBuffer(2 * steps * 4);
  const common = {
    states,
    runs,
    steps,
    leaderSeat,
    partTimeoutMs: 10_000,
    expected: 0,
    fault: "none",
    hasFault: new SharedArrayBuffer(4),
    isFaulty: false,
  } as const;
  const helper = await startThread({ ...common, role: "helper", seat: 1 });
  helper.begin();
  expect(await helper.report).toEqual({ outcome: "left", parts: 0, early: 0 });
});

test("a seat beyond the last has no state: its thread works alone", () => {
  const states = createGangStates(2);
  expect(gangStateOf(states, 1)).toBeInstanceOf(Int32Array);
  expect(gangStateOf(states, 2)).toBeUndefined();
});
