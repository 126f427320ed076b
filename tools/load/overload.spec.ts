import { readFile } from "node:fs/promises";
import { Worker } from "node:worker_threads";
import { Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Embedder } from "../../src/embed/embedder.ts";
import { Operator } from "../../src/gen/omnisearch/operator_pb.ts";
import { EmbeddingService, ErrorPolicy } from "../../src/gen/portico/v1/embedding_pb.ts";
import { everyTransport } from "../every-transport.ts";
import { flatPng } from "./flat-png.ts";
import { startTinyServer, type TinyServer, type TinyServerOptions } from "./tiny-server.ts";

/** What workers were given, in order: pictures, told apart by their encoded bytes. */
const given: number[] = [];
const post = Worker.prototype.postMessage;
beforeAll(() => {
  Worker.prototype.postMessage = function (this: Worker, message: { bytes: Uint8Array }, transfer) {
    given.push(message.bytes.length);
    post.call(this, message, transfer);
  };
});
afterAll(() => {
  Worker.prototype.postMessage = post;
});

/** A worker needs tens of milliseconds for the slow one, about one for the quick one. */
const slow = flatPng(2_000, 1_500, 40);
const quick = await readFile(new URL("../../fixtures/images/jpeg/quality-5.jpg", import.meta.url));
const countOf = (picture: Uint8Array) => given.filter((bytes) => bytes === picture.length).length;

let tiny: TinyServer;
let grpc: Transport;
async function start(options: TinyServerOptions): Promise<void> {
  tiny = await startTinyServer(options);
  grpc = createGrpcTransport({ baseUrl: tiny.server.localUrl });
  given.length = 0;
}

const execute = (transport: Transport, picture: Uint8Array, count: number, options = {}) =>
  createClient(Operator, transport).execute(
    { datas: Array<string>(count).fill(Buffer.from(picture).toString("base64")) },
    options,
  );
const errorOf = (call: Promise<unknown>) =>
  call.then(
    () => undefined,
    (error: unknown) => ConnectError.from(error),
  );
const patience = { timeout: 60_000 };
const untilWaiting = (items: number) =>
  expect.poll(() => tiny.embedder.state().queuedItems, patience).toBeGreaterThanOrEqual(items);

/** A call of a thousand slow pictures, under way; `end` cancels it. */
async function startLongCall(): Promise<{ end(): Promise<void> }> {
  const caller = new AbortController();
  const ended = errorOf(execute(grpc, slow, 1_000, { signal: caller.signal }));
  await untilWaiting(1);
  return {
    async end() {
      expect(countOf(slow)).toBeLessThan(1_000);
      caller.abort();
      expect((await ended)?.code).toBe(Code.Canceled);
      await expect.poll(() => tiny.embedder.state().queuedItems, patience).toBe(0);
      given.length = 0;
    },
  };
}

describe("a queue that is full by items", () => {
  beforeAll(() => start({ workers: 1, queue: { maxItems: 1 } }));
  afterAll(() => tiny.close());

  test.each(everyTransport)(
    "refuses at once over %s, and says when to come back",
    async (_, make, version) => {
      const transport = make({ baseUrl: tiny.server.localUrl, httpVersion: version as "2" });
      const long = await startLongCall();
      const before = countOf(slow);
      const error = await errorOf(execute(transport, quick, 100));
      expect(error?.code).toBe(Code.ResourceExhausted);
      expect(error?.rawMessage).toContain("expected fewer than 1 pictures to wait (--max-queued-items)");
      expect(error?.metadata.get("retry-after")).toBe("1");
      expect(error?.metadata.get("grpc-retry-pushback-ms")).toBe("1000");
      // Long before the call that fills the queue is done.
      expect(countOf(slow) - before).toBeLessThan(100);
      expect(countOf(quick)).toBe(0);
      await long.end();
    },
  );

  test("one picture of a call that is refused spares the others, unless the caller wants each one's result", async () => {
    const long = await startLongCall();
    const images = Array.from({ length: 50 }, () => ({ source: { case: "data" as const, value: quick } }));
    const client = createClient(EmbeddingService, grpc);
    const { results } = await client.embed({ images, errorPolicy: ErrorPolicy.PER_ITEM });
    expect(results).toHaveLength(50);
    for (const { outcome } of results) expect(outcome.value).toMatchObject({ reason: "OVERLOADED" });
    const error = await errorOf(client.embed({ images, errorPolicy: ErrorPolicy.FAIL_CALL }));
    expect(error?.code).toBe(Code.ResourceExhausted);
    await long.end();
  });
});

test("a queue that is full by bytes refuses at once", async () => {
  await start({ workers: 1, queue: { maxBytes: slow.length } });
  const long = await startLongCall();
  const error = await errorOf(execute(grpc, quick, 100));
  expect(error?.code).toBe(Code.ResourceExhausted);
  expect(error?.rawMessage).toContain("bytes of pictures to wait (--max-queued-bytes)");
  expect(error?.metadata.get("grpc-retry-pushback-ms")).toBe("1000");
  await long.end();
  await tiny.close();
});

describe("work that nobody waits for any more", () => {
  const callsBefore = 40;
  beforeAll(() => start({ workers: 1 }));
  afterAll(() => tiny.close());

  /** Calls whose turn comes first; resolves when they wait. */
  async function startCallsBefore(): Promise<Promise<unknown>[]> {
    given.length = 0;
    const calls = Array.from({ length: callsBefore }, () => execute(grpc, slow, 1));
    await untilWaiting(callsBefore / 2);
    return calls;
  }

  test("a picture whose deadline passes while it waits reaches no worker", async () => {
    const before = await startCallsBefore();
    const error = await errorOf(execute(grpc, quick, 3, { timeoutMs: 100 }));
    expect(error?.code).toBe(Code.DeadlineExceeded);
    await Promise.all(before);
    await execute(grpc, slow, 2);
    expect([countOf(slow), countOf(quick)]).toEqual([callsBefore + 2, 0]);
  });

  test("a picture whose caller goes while it waits reaches no worker", async () => {
    const before = await startCallsBefore();
    const caller = new AbortController();
    const waitingBefore = tiny.embedder.state().queuedItems;
    const call = errorOf(execute(grpc, quick, 1, { signal: caller.signal }));
    await expect.poll(() => given.length + tiny.embedder.state().queuedItems, patience).toBe(callsBefore + 1);
    expect(waitingBefore).toBeGreaterThan(0);
    caller.abort();
    expect((await call)?.code).toBe(Code.Canceled);
    await Promise.all(before);
    await execute(grpc, slow, 2);
    expect([countOf(slow), countOf(quick)]).toEqual([callsBefore + 2, 0]);
  });

  test("the rest of a batch is dropped where its deadline passes", async () => {
    const error = await errorOf(execute(grpc, slow, 1_000, { timeoutMs: 500 }));
    expect(error?.code).toBe(Code.DeadlineExceeded);
    await expect.poll(() => tiny.embedder.state().queuedItems, patience).toBe(0);
    given.length = 0;
    await execute(grpc, quick, 10);
    expect([countOf(slow), countOf(quick)]).toEqual([0, 10]);
  });
});

describe("a batch of a thousand", () => {
  const singles = 30;
  /** For each single call: pictures of others given to workers between its arrival and its own. */
  const waitedFor: number[] = [];
  beforeAll(async () => {
    await start({ workers: 2 });
    const { embed } = tiny.embedder;
    const spied: Embedder["embed"] = async (bytes, options) => {
      const before = countOf(slow);
      const result = embed(bytes, options);
      if (bytes.length === quick.length) {
        const done = await result;
        waitedFor.push(
          given.slice(0, given.lastIndexOf(quick.length)).filter((one) => one === slow.length).length -
            before,
        );
        return done;
      }
      return result;
    };
    Object.assign(tiny.embedder, { embed: spied });
  });
  afterAll(() => tiny.close());

  test("lets single calls pass: each waits for one picture of the batch at most", async () => {
    const long = await startLongCall();
    const other = createGrpcTransport({ baseUrl: tiny.server.localUrl });
    const doneBefore: number[] = [];
    for (let call = 0; call < singles; call++) {
      const before = countOf(slow);
      await execute(other, quick, 1);
      doneBefore.push(countOf(slow) - before);
    }
    expect(waitedFor).toHaveLength(singles);
    expect(Math.max(...waitedFor)).toBeLessThanOrEqual(1);
    // The way over the socket included: two workers begin a few pictures of the batch meanwhile.
    const typical = doneBefore.sort((a, b) => a - b)[singles / 2];
    expect(typical).toBeLessThanOrEqual(12);
    await long.end();
  });
});
