import { setTimeout as delay } from "node:timers/promises";
import {
  abortGang,
  addHelper,
  callOffHelper,
  createGangStates,
  type GangState,
  gangStateOf,
  publishEnd,
  removeHelper,
} from "../../engine/simd/gang-state.ts";
import type { PooledWorker } from "./pooled-worker.ts";
import { shareCores } from "./shared-cores.ts";

/** Which workers help with the picture of another one. Work of their own always goes first. */
export interface WorkerGangs {
  /** Shared with every worker. */
  readonly states: SharedArrayBuffer;
  /** The engine of a worker begins with a picture. */
  open(leader: PooledWorker): void;
  /** Its picture is finished or lost. */
  close(leader: PooledWorker): void;
  /** Sends workers without work to those that have a picture; to the one with the fewest helpers first. */
  offer(idle: PooledWorker[]): void;
  /** Asks helpers to come back, until so many are on their way. */
  callOff(wanted: number): void;
  /** Asks this one to come back, if it helps. */
  recall(helper: PooledWorker): void;
  /** How often a worker was sent to help since the start. */
  helps(): number;
  /** Threads of the pools of other models that work at this moment. */
  othersWorking(): number;
  /** The pool has ended. */
  leave(): void;
  /**
   * The thread of a worker has ended: sends its helpers away.
   * @returns those that have not left after `leaveTimeoutMs`; until they end they may write to the memory of its picture
   */
  dissolve(leader: PooledWorker): Promise<PooledWorker[]>;
}

export interface WorkerGangsOptions {
  /** Threads that may work at once. */
  readonly cores: number;
  /** Undefined once its thread has ended. */
  readonly seatOf: (worker: PooledWorker) => number | undefined;
  /** A helper has come back and is without work. */
  readonly onFree: (helper: PooledWorker) => void;
}

/** As long as a leader waits for a part, see `defaultGangLimits`. */
const leaveTimeoutMs = 5_000;

/** More threads than a host has workers for; a thread in a seat behind them works alone. */
const mostSeats = 256;

interface Help {
  readonly leader: PooledWorker;
  readonly state: GangState;
  /** False if its thread has ended. */
  readonly left: Promise<boolean>;
  isCalledOff: boolean;
}

export function createWorkerGangs({ cores, seatOf, onFree }: WorkerGangsOptions): WorkerGangs {
  const states = createGangStates(mostSeats);
  /** Workers whose engine is at work, each with those that were sent to help with its picture: nobody is sent twice. */
  const leaders = new Map<PooledWorker, Set<PooledWorker>>();
  const helping = new Map<PooledWorker, Help>();
  let helps = 0;
  function stateOf(worker: PooledWorker): GangState | undefined {
    const seat = seatOf(worker);
    return seat === undefined ? undefined : gangStateOf(states, seat);
  }
  const helpersOf = (leader: PooledWorker) =>
    [...helping].filter(([, help]) => help.leader === leader).map(([helper]) => helper);

  function send(helper: PooledWorker, leader: PooledWorker): boolean {
    const seat = seatOf(leader);
    const state = stateOf(leader);
    const own = stateOf(helper);
    if (seat === undefined || !state || !own) return false;
    helps += 1;
    addHelper(state, own);
    const help = { leader, state, left: helper.help(seat), isCalledOff: false };
    helping.set(helper, help);
    void help.left.then((isAlive) => {
      helping.delete(helper);
      // Its part, if it had one, will never be done: the leader begins its picture again.
      if (!isAlive) abortGang(state);
      removeHelper(state);
      if (isAlive) onFree(helper);
    });
    return true;
  }

  /** @returns false if it had been asked before */
  function callOff(helper: PooledWorker): boolean {
    const help = helping.get(helper);
    const own = stateOf(helper);
    if (!help || !own || help.isCalledOff) return false;
    help.isCalledOff = true;
    callOffHelper(help.state, own);
    return true;
  }

  /** @returns how many it has asked */
  function callOffSome(wanted: number): number {
    let asked = 0;
    for (const helper of helping.keys()) {
      if (asked >= wanted) break;
      if (callOff(helper)) asked += 1;
    }
    return asked;
  }

  const shared = shareCores({
    working: () => leaders.size + [...helping.values()].filter(({ isCalledOff }) => !isCalledOff).length,
    callOff: callOffSome,
  });

  return {
    states,
    open(leader) {
      leaders.set(leader, new Set());
      shared.begun(cores);
    },
    close: (leader) => void leaders.delete(leader),
    offer(idle) {
      for (const helper of [...idle]) {
        if (leaders.size + helping.size + shared.others() >= cores) return;
        const [leader] = [...leaders.keys()]
          .filter((one) => !leaders.get(one)?.has(helper))
          .toSorted((a, b) => helpersOf(a).length - helpersOf(b).length);
        if (!leader || !send(helper, leader)) continue;
        leaders.get(leader)?.add(helper);
        idle.splice(idle.indexOf(helper), 1);
      }
    },
    callOff(wanted) {
      const coming = [...helping.values()].filter(({ isCalledOff }) => isCalledOff).length;
      callOffSome(wanted - coming);
    },
    recall: (helper) => void callOff(helper),
    helps: () => helps,
    othersWorking: shared.others,
    leave: shared.leave,
    async dissolve(leader) {
      leaders.delete(leader);
      const state = stateOf(leader);
      if (state) publishEnd(state);
      for (const helper of helpersOf(leader)) callOff(helper);
      const left = helpersOf(leader).map((helper) => helping.get(helper)?.left);
      const timeout = new AbortController();
      await Promise.race([
        Promise.all(left),
        delay(leaveTimeoutMs, undefined, timeout).catch(() => undefined),
      ]);
      timeout.abort();
      return helpersOf(leader);
    },
  };
}
