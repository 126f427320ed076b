import { connect as connectHttp2 } from "node:http2";
import { connect as connectSocket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import {
  compressionBrotli,
  compressionGzip,
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { sendRaw } from "../../../tools/raw-http.ts";
import { startTestServer, type TestServer } from "../../../tools/start-test-server.ts";
import { Operator } from "../../gen/omnisearch/operator_pb.ts";
import { EmbeddingService } from "../../gen/portico/v1/embedding_pb.ts";
import { keepMessageKey } from "../../service/keep-message.ts";

const bound = 100_000;
let server: TestServer;
/** Lets every call end that waits. */
let open: PromiseWithResolvers<void>;
/** Calls whose whole request has reached the service. */
let served: number;

/** The url of a call says how it ends; its data is only weight. */
const endings: Readonly<Record<string, (signal: AbortSignal) => Promise<void>>> = {
  answered: async () => undefined,
  failed: async () => {
    throw new ConnectError("it failed", Code.Internal);
  },
  waits: (signal) =>
    Promise.race([open.promise, new Promise<void>((_, reject) => signal.addEventListener("abort", reject))]),
};

beforeEach(async () => {
  open = Promise.withResolvers();
  served = 0;
  server = await startTestServer(
    (router) => {
      router.service(Operator, {
        async execute({ urls }, { signal }) {
          served += 1;
          await endings[urls[0]!]!(signal);
          return {};
        },
        identity: () => ({ name: "small" }),
      });
      router.service(EmbeddingService, {
        async *embedStream(requests, { values }) {
          const letGo: (() => void)[] = [];
          for await (const { id } of requests) {
            const release = values.get(keepMessageKey)();
            if (id === "kept") letGo.push(release);
            else release();
            yield { id };
          }
        },
      });
    },
    { inflightMaxBytes: bound, discardTimeoutMs: 200 },
  );
});
afterEach(async () => {
  open.resolve();
  await server.server.close({ graceMs: 0 });
});

const weigh = (bytes: number) => "A".repeat(bytes);
const execute = (transport: Transport, ending: string, bytes: number, signal?: AbortSignal) =>
  createClient(Operator, transport).execute(
    { urls: [ending], datas: [weigh(bytes)] },
    { ...(signal && { signal }) },
  );
const grpc = () => createGrpcTransport({ baseUrl: server.url });

async function reached(count: number): Promise<void> {
  await expect.poll(() => served, { timeout: 20_000 }).toBe(count);
}

/** A call that waits, and holds a bit more than `bytes`. */
async function hold(bytes: number): Promise<Promise<unknown>> {
  const before = served;
  const call = execute(grpc(), "waits", bytes);
  call.catch(() => undefined);
  await reached(before + 1);
  return Promise.resolve([call]);
}

/** Nothing is left of earlier calls: two calls that fill the bound nearly fit beside each other. */
async function expectNothingHeld(): Promise<void> {
  await hold(0.4 * bound);
  await expect
    .poll(() => execute(grpc(), "answered", 0.595 * bound).then(() => "served", String), { timeout: 20_000 })
    .toBe("served");
}

const compressions = [
  ["as it is", undefined],
  ["gzip", compressionGzip],
  ["br", compressionBrotli],
] as const;
const makers = [
  ["gRPC", createGrpcTransport, "2"],
  ["gRPC-Web", createGrpcWebTransport, "2"],
  ["gRPC-Web", createGrpcWebTransport, "1.1"],
  ["Connect", createConnectTransport, "2"],
  ["Connect", createConnectTransport, "1.1"],
] as const;
const ways = makers.flatMap(([protocol, make, httpVersion]) =>
  [true, false].flatMap((useBinaryFormat) =>
    compressions.map(([compression, sendCompression]) => ({
      way: `${protocol}, HTTP/${httpVersion}, ${useBinaryFormat ? "proto" : "JSON"}, ${compression}`,
      transport: () =>
        make({
          baseUrl: server.url,
          httpVersion: httpVersion as "2",
          useBinaryFormat,
          compressMinBytes: 0,
          ...(sendCompression && { sendCompression }),
        }),
    })),
  ),
);

describe("beyond the bound a call is refused at once, and told when to come back", () => {
  // What is compressed has a hundredth of the bytes on the way: they count unpacked.
  test.each(ways)("$way", async ({ transport }) => {
    await hold(0.6 * bound);
    const error = await execute(transport(), "answered", 0.6 * bound).then(
      () => undefined,
      (cause: unknown) => ConnectError.from(cause),
    );
    expect(error?.code).toBe(Code.ResourceExhausted);
    expect(error?.rawMessage).toMatch(
      /^OVERLOADED: expected at most 100000 bytes of requests at once \(--max-inflight-bytes\), got 1[12]\d{4}; try again later$/,
    );
    expect(error?.metadata.get("retry-after")).toBe("1");
    expect(error?.metadata.get("grpc-retry-pushback-ms")).toBe("1000");
    expect(served).toBe(1);
    // There is room for a smaller one, and for questions always.
    await execute(transport(), "answered", 0.3 * bound);
    open.resolve();
    await expect
      .poll(() => execute(transport(), "answered", 0.6 * bound).then(() => "served", String))
      .toBe("served");
  });
});

test("one call alone may be larger than the bound; questions are answered meanwhile", async () => {
  await hold(3 * bound);
  await expect(execute(grpc(), "answered", 10)).rejects.toThrow("OVERLOADED");
  expect(await createClient(Operator, grpc()).identity({})).toMatchObject({ name: "small" });
});

test("before the body is read, where its length is announced: HTTP/2", async () => {
  await hold(0.6 * bound);
  const session = connectHttp2(server.url);
  const stream = session.request({
    ":method": "POST",
    ":path": "/omnisearch.Operator/Execute",
    "content-type": "application/json",
    "content-length": 0.6 * bound,
  });
  const status = await new Promise((resolve) => stream.on("response", (head) => resolve(head[":status"])));
  expect(status).toBe(429);
  session.destroy();
});

const http1Head = (bytes: number) =>
  `POST /omnisearch.Operator/Execute HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: ${bytes}\r\n\r\n`;

test("before the body is read, where its length is announced: HTTP/1.1", async () => {
  await hold(0.6 * bound);
  const { text, closed } = await sendRaw(server.port, [http1Head(0.6 * bound)], 5_000);
  expect(text).toMatch(/^HTTP\/1.1 429 [\s\S]*retry-after: 1\r\n/i);
  expect(text).toContain("OVERLOADED");
  expect(closed).toBe(true);
});

test("an announcement alone holds nothing", async () => {
  const sockets = Array.from({ length: 5 }, () => connectSocket(server.port, "127.0.0.1"));
  for (const socket of sockets) socket.write(http1Head(0.9 * bound));
  await sleep(200);
  await execute(grpc(), "answered", 0.9 * bound);
  for (const socket of sockets) socket.destroy();
});

test("a body of chunks counts as it comes", async () => {
  await hold(0.6 * bound);
  const head = http1Head(0).replace("content-length: 0", "transfer-encoding: chunked");
  const chunk = `2710\r\n${weigh(10_000)}\r\n`;
  const { text } = await sendRaw(server.port, [head, ...Array(6).fill(chunk)], 5_000);
  expect(text).toMatch(/^HTTP\/1.1 429 [\s\S]*OVERLOADED/);
});

describe("what a call held is given back when it ends", () => {
  const body = JSON.stringify({ urls: ["waits"], datas: [weigh(0.5 * bound)] });
  const http1Call = http1Head(body.length) + body;

  test.each<[string, () => Promise<unknown>]>([
    ["answered", () => execute(grpc(), "answered", 0.5 * bound)],
    ["failed", () => execute(grpc(), "failed", 0.5 * bound).catch(() => undefined)],
    [
      "past its deadline",
      () =>
        createClient(Operator, grpc())
          .execute({ urls: ["waits"], datas: [weigh(0.5 * bound)] }, { timeoutMs: 300 })
          .catch(() => undefined),
    ],
    [
      "cancelled",
      async () => {
        const caller = new AbortController();
        const call = execute(grpc(), "waits", 0.5 * bound, caller.signal).catch(() => undefined);
        await reached(1);
        caller.abort();
        await call;
      },
    ],
    ["refused as malformed", () => sendRaw(server.port, [http1Head(50_000), weigh(50_000)])],
    [
      "refused as overload",
      async () => {
        await hold(0.5 * bound);
        await expect(execute(grpc(), "answered", 0.9 * bound)).rejects.toThrow("OVERLOADED");
        open.resolve();
        open = Promise.withResolvers();
      },
    ],
    ["left by a client of HTTP/1.1 that waits", () => sendRaw(server.port, [http1Call])],
    [
      "left by a client of HTTP/1.1 in the middle of its body",
      () => sendRaw(server.port, [http1Head(50_000), "{"]),
    ],
    [
      "left by a client of HTTP/1.1 that sent the next request already",
      () => sendRaw(server.port, [http1Call + http1Call]),
    ],
    [
      "left by a client of HTTP/2 in the middle of its body",
      async () => {
        const session = connectHttp2(server.url);
        const stream = session.request({
          ":method": "POST",
          ":path": "/omnisearch.Operator/Execute",
          "content-type": "application/grpc",
        });
        stream.write(Buffer.concat([Buffer.of(0, 0, 0, 200, 0), Buffer.alloc(40_000)]));
        await sleep(200);
        session.destroy();
      },
    ],
    [
      "left by a client of HTTP/1.1 whose connection is reset",
      async () => {
        const socket = connectSocket(server.port, "127.0.0.1");
        socket.write(http1Call);
        await reached(1);
        socket.resetAndDestroy();
      },
    ],
  ])("%s", async (_, call) => {
    await call();
    served = 0;
    await expectNothingHeld();
  });

  test("even a thousand times", async () => {
    const transport = grpc();
    for (let round = 0; round < 100; round++) {
      const calls = Array.from({ length: 10 }, () => execute(transport, "answered", 0.09 * bound));
      await Promise.all(calls);
    }
    await expectNothingHeld();
  });
});

describe("a stream", () => {
  const picture = (id: string) => ({
    id,
    image: { source: { case: "data" as const, value: Buffer.alloc(0.3 * bound) } },
  });
  async function idsOf(ids: readonly string[]): Promise<(string | undefined)[]> {
    async function* requests() {
      for (const id of ids) yield picture(id);
    }
    const got: (string | undefined)[] = [];
    for await (const { id } of createClient(EmbeddingService, grpc()).embedStream(requests())) got.push(id);
    return got;
  }

  test("of more messages than the bound holds goes through, since each is let go", async () => {
    await hold(0.6 * bound);
    const ids = Array.from({ length: 20 }, (_, index) => String(index));
    expect(await idsOf(ids)).toEqual(ids);
    await expect.poll(() => idsOf(["a"])).toEqual(["a"]);
  });

  test("is refused when the messages that its service keeps fill the bound", async () => {
    await hold(0.3 * bound);
    await expect(idsOf(["kept", "kept", "kept"])).rejects.toThrow("OVERLOADED");
    expect(await idsOf(["kept", "kept"])).toEqual(["kept", "kept"]);
    open.resolve();
    await expectNothingHeld();
  });
});
