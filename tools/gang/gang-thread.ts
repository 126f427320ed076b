import { setTimeout as delay } from "node:timers/promises";
import { parentPort, workerData } from "node:worker_threads";
import { defaultGangLimits, helpGang, leadGang } from "../../src/engine/simd/gang.ts";
import { gangStateOf, type Part } from "../../src/engine/simd/gang-state.ts";

/** One thread of a gang without an engine: its parts only note that they were run. */

export interface GangThreadSetup {
  readonly role: "leader" | "helper";
  readonly states: SharedArrayBuffer;
  readonly seat: number;
  readonly leaderSeat: number;
  readonly steps: number;
  /** Int32: for each step how many of its parts were run, counted after the part's work. */
  readonly runs: SharedArrayBuffer;
  readonly partTimeoutMs: number;
  /** Helpers that are on their way when the leader begins. */
  readonly expected: number;
  /** What it does with its part of step 5. */
  readonly fault: "none" | "dies" | "hangs" | "throws";
  /** Int32: 1 once the thread with the fault has such a part; the others wait for that, if there is to be one. */
  readonly hasFault: SharedArrayBuffer;
  readonly isFaulty: boolean;
}

/** What a thread tells at its end. `parts`: how many it ran; `early`: parts that began before the step before was done. */
export interface GangThreadReport {
  readonly outcome: string;
  readonly parts: number;
  readonly early: number;
}

const setup = workerData as GangThreadSetup;
const own = gangStateOf(setup.states, setup.seat)!;
const state = gangStateOf(setup.states, setup.leaderSeat)!;
const hasFault = new Int32Array(setup.hasFault);
const runs = new Int32Array(setup.runs);
const partsOfStep = new Int32Array(setup.runs, setup.steps * 4);
const clock = {
  ...defaultGangLimits,
  partTimeoutMs: setup.partTimeoutMs,
  now: () => performance.now(),
};
let parts = 0;
let early = 0;

function run({ step, parts: count }: Part): void {
  Atomics.store(partsOfStep, step, count);
  if (step > 0 && Atomics.load(runs, step - 1) !== Atomics.load(partsOfStep, step - 1)) early += 1;
  if (step === 5 && setup.isFaulty) misbehave();
  for (const until = performance.now() + 0.2; performance.now() < until; );
  parts += 1;
  Atomics.add(runs, step, 1);
}

function misbehave(): void {
  if (setup.fault === "none") {
    Atomics.wait(hasFault, 0, 0, 30_000);
    return;
  }
  Atomics.store(hasFault, 0, 1);
  Atomics.notify(hasFault, 0);
  if (setup.fault === "dies") process.exit(0);
  if (setup.fault === "throws") throw new RangeError("a trap of the test");
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

function begin(): number {
  parentPort?.postMessage("open");
  return setup.expected;
}

function work(): string {
  if (setup.role === "leader") return String(leadGang(state, setup.steps, begin, run, clock));
  helpGang(state, own, run, clock);
  return "left";
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

parentPort?.once("message", async () => {
  let outcome: string;
  try {
    outcome = work();
  } catch (error) {
    outcome = describe(error);
  }
  // Helpers that were waited for may still be on their way out.
  await delay(1);
  parentPort?.postMessage({ outcome, parts, early } satisfies GangThreadReport);
});
parentPort?.postMessage("started");
