import { describe, expect, test } from "vitest";
import type { EmbedResult } from "../../embed/embedder.ts";
import { EmbedError } from "../../errors.ts";
import { createJobQueue, type Job } from "./job-queue.ts";

function job(size: number, signal?: AbortSignal): { job: Job; settled: () => string | undefined } {
  let result: EmbedResult | undefined;
  return {
    job: { bytes: new Uint8Array(size), resolve: (value) => (result = value), signal },
    settled: () => (result && !result.ok ? `${result.error.reason}: ${result.error.message}` : undefined),
  };
}

describe("a job queue", () => {
  test("gives jobs in order of arrival", () => {
    const queue = createJobQueue({ maxItems: 10, maxBytes: 10 });
    const [a, b] = [job(1), job(2)];
    queue.push(a.job);
    queue.push(b.job);
    expect([queue.shift(), queue.shift(), queue.shift()]).toEqual([a.job, b.job, undefined]);
    expect([a.settled(), b.settled()]).toEqual([undefined, undefined]);
  });

  test("lets calls take turns, each with its jobs in order", () => {
    const queue = createJobQueue({ maxItems: 10, maxBytes: 10 });
    const [batch, stream, gone] = [new AbortController(), new AbortController(), new AbortController()];
    const [a1, a2, a3] = [job(1, batch.signal), job(1, batch.signal), job(1, batch.signal)];
    const [b1, b2] = [job(1, stream.signal), job(1, stream.signal)];
    const single = job(1);
    for (const one of [a1, a2, a3, job(1, gone.signal), b1, b2, single]) queue.push(one.job);
    gone.abort();
    const order = [a1, b1, single, a2, b2, a3].map((one) => one.job);
    expect(order.map(() => queue.shift())).toEqual(order);
    expect(queue.shift()).toBeUndefined();
    expect(queue.state()).toEqual({ queuedItems: 0, queuedBytes: 0, oldestMs: 0 });
  });

  test("a call that comes back waits behind those that waited meanwhile", () => {
    const queue = createJobQueue({ maxItems: 10, maxBytes: 10 });
    const batch = new AbortController();
    const [a1, a2, b, c] = [job(1, batch.signal), job(1, batch.signal), job(1), job(1)];
    queue.push(a1.job);
    queue.push(b.job);
    expect(queue.shift()).toBe(a1.job);
    queue.push(a2.job);
    queue.push(c.job);
    expect([queue.shift(), queue.shift(), queue.shift()]).toEqual([b.job, a2.job, c.job]);
  });

  test("refuses more items than it holds, and takes them again once there is room", () => {
    const queue = createJobQueue({ maxItems: 1, maxBytes: 10 });
    const [a, b, c] = [job(1), job(1), job(1)];
    queue.push(a.job);
    queue.push(b.job);
    expect(b.settled()).toBe(
      "OVERLOADED: expected fewer than 1 pictures to wait (--max-queued-items); try again later",
    );
    queue.shift();
    queue.push(c.job);
    expect(c.settled()).toBeUndefined();
  });

  test("refuses more bytes than it holds, but takes any one picture", () => {
    const queue = createJobQueue({ maxItems: 10, maxBytes: 10 });
    const [large, small] = [job(11), job(1)];
    queue.push(large.job);
    queue.push(small.job);
    expect(large.settled()).toBeUndefined();
    expect(small.settled()).toBe(
      "OVERLOADED: expected at most 10 bytes of pictures to wait (--max-queued-bytes), got 12; try again later",
    );
    expect(queue.shift()).toBe(large.job);
    queue.push(small.job);
    expect(queue.shift()).toBe(small.job);
  });

  test("drops a job where it waits when its caller goes, and gives its room back", () => {
    const queue = createJobQueue({ maxItems: 2, maxBytes: 10 });
    const caller = new AbortController();
    const [a, b, c, late] = [job(5), job(5, caller.signal), job(5), job(5, caller.signal)];
    queue.push(a.job);
    queue.push(b.job);
    caller.abort();
    expect(b.settled()).toBe("CANCELLED: the caller went away before the work was done");
    queue.push(c.job);
    expect([queue.shift(), queue.shift(), queue.shift()]).toEqual([a.job, c.job, undefined]);
    queue.push(late.job);
    expect(late.settled()).toBe("CANCELLED: the caller went away before the work was done");
    expect(queue.shift()).toBeUndefined();
  });

  test("a job that was handed out is its worker's: its signal no longer counts", () => {
    const queue = createJobQueue({ maxItems: 2, maxBytes: 10 });
    const caller = new AbortController();
    const a = job(5, caller.signal);
    queue.push(a.job);
    queue.shift();
    caller.abort();
    expect(a.settled()).toBeUndefined();
  });

  test("fails all that wait", () => {
    const queue = createJobQueue({ maxItems: 2, maxBytes: 10 });
    const [a, b] = [job(1), job(1)];
    queue.push(a.job);
    queue.push(b.job);
    queue.failAll(new EmbedError("SHUTTING_DOWN", "closed"));
    expect([a.settled(), b.settled()]).toEqual(["SHUTTING_DOWN: closed", "SHUTTING_DOWN: closed"]);
    expect(queue.shift()).toBeUndefined();
  });
});
