import { afterEach, beforeEach, expect, test } from "vitest";
import { type GangState, gangStateOf, helpersOf, isCalledOff } from "../../engine/simd/gang-state.ts";
import type { PooledWorker } from "./pooled-worker.ts";
import { createWorkerGangs, type WorkerGangs } from "./worker-gangs.ts";

/** What the books of gangs need of a worker; the threads themselves are tested in worker-gangs.spec.ts. */
interface Stand {
  readonly worker: PooledWorker;
  /** It has come back; false: its thread has ended. */
  leave(isAlive: boolean): void;
}

let gangs: WorkerGangs;
let leader: Stand;
let helpers: Stand[];
let freed: PooledWorker[];

function createStand(): Stand {
  const left = Promise.withResolvers<boolean>();
  const worker = { help: () => left.promise } as unknown as PooledWorker;
  return { worker, leave: left.resolve };
}

beforeEach(() => {
  leader = createStand();
  helpers = [createStand(), createStand()];
  freed = [];
  const seats = [leader, ...helpers].map(({ worker }) => worker);
  gangs = createWorkerGangs({
    cores: 3,
    seatOf: (worker) => (seats.includes(worker) ? seats.indexOf(worker) : undefined),
    onFree: (worker) => freed.push(worker),
  });
  gangs.open(leader.worker);
  gangs.offer(helpers.map(({ worker }) => worker));
});

afterEach(() => gangs.leave());

const calledOff = () =>
  helpers.map((_, index) => isCalledOff(gangStateOf(gangs.states, 1 + index) as GangState));
const counted = () => helpersOf(gangStateOf(gangs.states, 0) as GangState);

test("as many helpers are called off as pictures wait, no matter how often that is asked", () => {
  expect(calledOff()).toEqual([false, false]);
  for (let time = 0; time < 3; time++) gangs.callOff(1);
  expect(calledOff()).toEqual([true, false]);
  gangs.callOff(2);
  expect(calledOff()).toEqual([true, true]);
});

test("one that is to be replaced is called back by itself", () => {
  gangs.recall(helpers[1]!.worker);
  expect(calledOff()).toEqual([false, true]);
  gangs.recall(leader.worker);
  expect(calledOff()).toEqual([false, true]);
});

test("one that comes back is free, one whose thread has ended is not; neither is counted any more", async () => {
  expect(counted()).toBe(2);
  helpers[0]!.leave(true);
  helpers[1]!.leave(false);
  await expect.poll(counted).toBe(0);
  expect(freed).toEqual([helpers[0]!.worker]);
});

test("a worker without a seat, whose thread has ended, is nobody's leader or helper", async () => {
  const stranger = createStand().worker;
  gangs.offer([stranger]);
  gangs.open(stranger);
  gangs.offer([createStand().worker]);
  expect(counted()).toBe(2);
  expect(await gangs.dissolve(stranger)).toEqual([]);
});
