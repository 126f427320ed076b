import { setTimeout as sleep } from "node:timers/promises";
import { createRandom } from "../random.ts";
import { createGoodCalls, type GoodCall } from "./request-good-call.ts";
import { type MutatedRequest, mutateRequest, type RequestSample } from "./request-mutations.ts";
import { sendRequestBytes } from "./request-send.ts";
import type { RequestVictim, VictimState } from "./request-victim-process.ts";

export interface RunRequestsOptions {
  readonly victim: RequestVictim;
  readonly samples: readonly RequestSample[];
  readonly seed: number;
  /** Index of the first request. Default: 0. */
  readonly first?: number;
  readonly count: number;
  readonly onProgress?: (done: number, state: VictimState) => void;
}

export interface RequestFigures {
  readonly seconds: number;
  readonly goodCalls: number;
  /** Resident size of the process; and what its heap, and buffers beside it, hold after a garbage collection. */
  readonly resident: Trend;
  readonly heap: Trend;
  /** What clients were told of the server being at fault; each must be accounted for. */
  readonly internalAnswers: readonly string[];
}

/** Mean bytes in the first and in the last quarter of a run, its start left out. */
export interface Trend {
  readonly firstBytes: number;
  readonly lastBytes: number;
}

/** Connections open at once, less than what any limit of the server refuses. */
const concurrency = 16;
/** After so many requests one good call is made. */
const goodCallEvery = 25;
/** After so many, all connections are closed and what the server holds is looked at. */
const stateEvery = 500;
/** The first share of a run is not measured: caches fill, and V8 compiles what runs often. */
const warmUpShare = 0.1;
/** Until the server has seen that its clients have gone. */
const settleTimeoutMs = 15_000;

/**
 * Sends `count` mutated requests to a server and checks that it takes them: it lives, logs no error, good
 * calls among them give the same vectors as before, and no connection or picture is left in it.
 * @throws Error naming the seed and the requests in flight, with their bytes in base64
 */
export async function runRequests(options: RunRequestsOptions): Promise<RequestFigures> {
  const { victim, samples, seed, first = 0, count } = options;
  const goodCalls = await createGoodCalls(victim.port);
  const expected = await goodCalls[0]();
  const base = await settledState(victim, 0);
  const states: VictimState[] = [];
  const internal = new Set<string>();
  const startedAt = performance.now();
  let goodCallCount = 0;

  async function check(call: GoodCall): Promise<void> {
    goodCallCount += 1;
    const vectors = await call();
    if (vectors !== expected) throw new Error(`a good call gave other vectors: ${vectors} for ${expected}`);
  }

  for (let start = first; start < first + count; start += stateEvery) {
    const end = Math.min(start + stateEvery, first + count);
    let next = start;
    const recent: MutatedRequest[] = [];
    const work = async () => {
      while (next < end && victim.fault() === undefined) {
        const index = next++;
        const random = createRandom(seed, index);
        const request = mutateRequest(samples, random);
        recent.push({ ...request, name: `${index} ${request.name}` });
        if (recent.length > 2 * concurrency) recent.shift();
        for (const found of internalIn(await sendRequestBytes(victim.port, request.bytes, random))) {
          internal.add(found);
        }
        if (index % goodCallEvery === 0) await check(goodCalls[(index / goodCallEvery) % 2]!);
      }
    };
    try {
      await Promise.all(Array.from({ length: concurrency }, work));
      await check(goodCalls[1]);
      const state = await settledState(victim, base.connections);
      states.push(state);
      for (const answer of state.internalAnswers) internal.add(answer);
      options.onProgress?.(end - first, state);
      const fault = victim.fault();
      if (fault !== undefined) throw new Error(fault);
    } catch (error) {
      // The call that failed may be told before the end of the process that made it fail.
      await sleep(1_000);
      throw new Error(describeFailure(seed, victim.fault() ?? String(error), recent), { cause: error });
    }
  }
  const warm = states.slice(Math.floor(states.length * warmUpShare));
  return {
    seconds: (performance.now() - startedAt) / 1000,
    goodCalls: goodCallCount,
    resident: trendOf(warm.map(({ rssBytes }) => rssBytes)),
    heap: trendOf(warm.map(({ heapBytes }) => heapBytes)),
    internalAnswers: [...internal].sort(),
  };
}

function trendOf(bytes: readonly number[]): Trend {
  const quarter = Math.ceil(bytes.length / 4);
  return { firstBytes: meanOf(bytes.slice(0, quarter)), lastBytes: meanOf(bytes.slice(-quarter)) };
}

/** 2 MiB: one object of 1 KB that stays behind with each connection makes 2 MiB in 2000 requests. */
const heapSpareBytes = 2 * 2 ** 20;
/** Half as much again: V8 keeps the room of young objects, and malloc its arenas, once they have grown. */
const residentSpareShare = 0.5;

/** What has grown from the first to the last quarter of a run by more than a healthy process grows; or nothing. */
export function findGrowth({ resident, heap }: RequestFigures): string | undefined {
  const describe = (name: string, { firstBytes, lastBytes }: Trend) =>
    `${name} has grown from ${Math.round(firstBytes)} to ${Math.round(lastBytes)} bytes`;
  if (heap.lastBytes - heap.firstBytes > heapSpareBytes) return describe("the heap", heap);
  const isLarger = resident.lastBytes > resident.firstBytes * (1 + residentSpareShare);
  return isLarger ? describe("the process", resident) : undefined;
}

/** What the server holds once its clients have gone. */
async function settledState(victim: RequestVictim, connections: number): Promise<VictimState> {
  const until = performance.now() + settleTimeoutMs;
  for (;;) {
    const state = await victim.state();
    if (state.connections <= connections && state.queuedItems === 0) return state;
    if (performance.now() > until) {
      const held = `${state.connections} connections and ${state.queuedItems} pictures`;
      throw new Error(`expected ${connections} connections and no picture to be left, got ${held}`);
    }
    await sleep(50);
  }
}

/** Connect's errors lie in the body, and so do the trailers of gRPC-Web. */
function internalIn(answer: string): readonly string[] {
  const connect = answer.match(/"code":"(internal|unknown|data_loss)"[^}]*/g) ?? [];
  const web = answer.match(/grpc-status: ?(2|13|15)\r\ngrpc-message: ?[^\r]*/g) ?? [];
  return [...connect, ...web];
}

function describeFailure(seed: number, fault: string, recent: readonly MutatedRequest[]): string {
  const requests = recent.map(({ name, bytes }) => `${name}\n  ${Buffer.from(bytes).toString("base64")}`);
  const last = `the last requests of seed ${seed}, by index; send one again with --seed ${seed} --only INDEX:`;
  return [fault, last, ...requests].join("\n");
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
