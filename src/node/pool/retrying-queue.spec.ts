import { expect, test } from "vitest";
import { EmbedError } from "../../errors.ts";
import { createRetryingQueue, type NextJob } from "./retrying-queue.ts";

interface Made {
  readonly ok: true;
  readonly by: string;
}

const lost = { ok: false, error: new EmbedError("ENGINE_FAILED", "the worker ended") } as const;
const corrupt = { ok: false, error: new EmbedError("IMAGE_CORRUPT", "no picture") } as const;
const made = (by: string): Made => ({ ok: true, by });

/** A queue, and how often it asked for a worker and told of a success. Pictures are told apart by their first byte. */
function queueOf(maxItems = 10) {
  const counts = { dispatched: 0, successes: 0 };
  const queue = createRetryingQueue<Made>({
    limits: { maxItems, maxBytes: 100 },
    dispatch: () => {
      counts.dispatched += 1;
    },
    onSuccess: () => {
      counts.successes += 1;
    },
  });
  const told: string[] = [];
  const tell = (name: number, result: Promise<Made | typeof lost | { ok: false; error: EmbedError }>) =>
    void result.then((it) =>
      told.push(`${name} ${it.ok ? it.by : `${it.error.reason}: ${it.error.message}`}`),
    );
  return {
    ...{ queue, counts, told },
    add: (name: number, signal?: AbortSignal) => tell(name, queue.add(Uint8Array.of(name), signal)),
    addFirst: (name: number) => tell(name, queue.addFirst(Uint8Array.of(name))),
    take: () => queue.next() as NextJob<Made>,
  };
}
const nameOf = ({ job, isRetried }: NextJob<Made>) => `${job.bytes[0]}${isRetried ? " again" : ""}`;
/** Until everybody has been told. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

test("a picture that lost its worker goes first, and its caller gets what the second try gives", async () => {
  const { queue, add, take, told, counts } = queueOf();
  for (const name of [1, 2, 3]) add(name);
  take().job.resolve(lost);
  expect(queue.waiting()).toBe(3);
  // Those that came; what waits again has waited already.
  expect(queue.state().queuedItems).toBe(2);
  const order = [take(), take(), take()];
  expect(order.map(nameOf)).toEqual(["1 again", "2", "3"]);
  expect(queue.next()).toBeUndefined();
  for (const { job } of order) job.resolve(made(`done ${job.bytes[0]}`));
  await settled();
  expect(told).toEqual(["1 done 1", "2 done 2", "3 done 3"]);
  // For each of the three that came, and for the one that came back.
  expect(counts).toEqual({ dispatched: 4, successes: 3 });
});

test("a picture that lost two workers fails with the second one's error", async () => {
  const { add, take, told, queue } = queueOf();
  add(1);
  take().job.resolve({ ok: false, error: new EmbedError("ENGINE_FAILED", "the first worker ended") });
  take().job.resolve(lost);
  await settled();
  expect([told, queue.waiting()]).toEqual([["1 ENGINE_FAILED: the worker ended"], 0]);
});

test("a picture that is to blame itself is not tried again", async () => {
  const { add, take, told, queue, counts } = queueOf();
  add(1);
  take().job.resolve(corrupt);
  await settled();
  expect([told, queue.waiting(), counts.successes]).toEqual([["1 IMAGE_CORRUPT: no picture"], 0, 0]);
});

test("a full queue refuses what comes, and takes back what lost its worker", async () => {
  const { add, take, told, queue } = queueOf(1);
  add(1);
  const first = take();
  add(2);
  add(3);
  first.job.resolve(lost);
  await settled();
  expect(told).toEqual([
    "3 OVERLOADED: expected fewer than 1 pictures to wait (--max-queued-items); try again later",
  ]);
  expect([queue.waiting(), nameOf(take()), nameOf(take())]).toEqual([2, "1 again", "2"]);
});

test("the pool's own picture goes first, though the queue is full, and is tried once", async () => {
  const { add, addFirst, take, told, queue, counts } = queueOf(1);
  add(1);
  addFirst(9);
  const own = take();
  expect(nameOf(own)).toBe("9 again");
  own.job.resolve(lost);
  await settled();
  expect([told, queue.waiting(), counts.dispatched]).toEqual([["9 ENGINE_FAILED: the worker ended"], 1, 2]);
});

test("a picture that was put back goes before those that came", () => {
  const { add, take, queue } = queueOf();
  add(1);
  add(2);
  queue.putBack(take().job);
  expect([take(), take()].map(nameOf)).toEqual(["1 again", "2"]);
});

test.each<[string, (call: AbortController, work: () => NextJob<Made>) => void]>([
  ["while its picture waits", (call) => call.abort()],
  [
    "while a worker has it",
    (call, take) => {
      const { job } = take();
      call.abort();
      job.resolve(made("nobody"));
    },
  ],
  [
    "while a worker has it that is lost",
    (call, take) => {
      const { job } = take();
      call.abort();
      job.resolve(lost);
    },
  ],
  [
    "while its picture waits again",
    (call, take) => {
      take().job.resolve(lost);
      call.abort();
    },
  ],
])("a caller that goes %s is told at once and once, and nothing of it stays", async (_when, act) => {
  const { add, take, told, queue } = queueOf();
  const call = new AbortController();
  add(1, call.signal);
  act(call, take);
  await settled();
  expect(told).toEqual(["1 CANCELLED: the caller went away before the work was done"]);
  expect(queue.waiting()).toBe(0);
});

test("all that wait fail together, and a worker's picture does not", async () => {
  const { add, take, told, queue } = queueOf();
  for (const name of [1, 2, 3]) add(name);
  take().job.resolve(lost);
  const held = take();
  queue.failAll(new EmbedError("NOT_READY", "no worker lives"));
  held.job.resolve(made("the last worker"));
  await settled();
  expect(told.toSorted()).toEqual([
    "1 the last worker",
    "2 NOT_READY: no worker lives",
    "3 NOT_READY: no worker lives",
  ]);
  expect(queue.closedBy()).toBeUndefined();
});

test("once it is closed, all are told why, and whoever loses a worker then", async () => {
  const { add, take, told, queue } = queueOf();
  for (const name of [1, 2, 3, 4]) add(name);
  const [lostLater, doneLater] = [take(), take()];
  take().job.resolve(lost);
  queue.close(new EmbedError("SHUTTING_DOWN", "closed"));
  queue.close(new EmbedError("INTERNAL", "closed twice"));
  lostLater.job.resolve(lost);
  doneLater.job.resolve(made("in time"));
  add(5);
  await settled();
  expect(told.toSorted()).toEqual([
    "1 SHUTTING_DOWN: closed",
    "2 in time",
    "3 SHUTTING_DOWN: closed",
    "4 SHUTTING_DOWN: closed",
    "5 SHUTTING_DOWN: closed",
  ]);
  expect([queue.waiting(), queue.closedBy()?.message]).toEqual([0, "closed"]);
});
