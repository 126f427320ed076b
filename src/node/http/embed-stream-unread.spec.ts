import { type ClientHttp2Stream, connect as connectHttp2 } from "node:http2";
import { create, toBinary } from "@bufbuild/protobuf";
import { Code, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { afterEach, beforeEach, expect, test } from "vitest";
import { embedderOfBytes, fetchByte, modelOfBytes } from "../../../tools/service/byte-embedder.ts";
import { startTestServer, type TestServer } from "../../../tools/start-test-server.ts";
import { EmbeddingService, EmbedStreamRequestSchema } from "../../gen/portico/v1/embedding_pb.ts";
import { createEmbedding } from "../../service/embedding.ts";

const bound = 1_000_000;
let server: TestServer;
/** Pictures that the embedder was given. */
let embedded: number;

beforeEach(async () => {
  embedded = 0;
  const embedder = embedderOfBytes();
  const counting: typeof embedder = {
    ...embedder,
    embed(...args) {
      embedded += 1;
      return embedder.embed(...args);
    },
  };
  const service = createEmbedding({
    models: [modelOfBytes(counting, 10)],
    fetchBytes: fetchByte,
    now: () => 0,
  });
  server = await startTestServer((router) => router.service(EmbeddingService, service), {
    inflightMaxBytes: bound,
  });
});
afterEach(() => server.server.close({ graceMs: 0 }));

const image = { source: { case: "data" as const, value: Uint8Array.of(7) } };
const client = () => createClient(EmbeddingService, createGrpcTransport({ baseUrl: server.url }));

/** A stream whose client lets no byte of its results through. */
function openUnread(): ClientHttp2Stream {
  const session = connectHttp2(server.url, { settings: { initialWindowSize: 0 } });
  session.on("error", () => undefined);
  const stream = session.request({
    ":method": "POST",
    ":path": "/portico.v1.EmbeddingService/EmbedStream",
    "content-type": "application/grpc",
    te: "trailers",
  });
  return stream.on("error", () => undefined);
}

function send(stream: ClientHttp2Stream, request: { id: string; model?: string }): void {
  const message = toBinary(EmbedStreamRequestSchema, create(EmbedStreamRequestSchema, { ...request, image }));
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  stream.write(Buffer.concat([head, message]));
}

/** Waits until it has not changed for half a second. */
async function settled(value: () => number): Promise<number> {
  let last = Number.NaN;
  await expect
    .poll(
      () => {
        const isSame = value() === last;
        last = value();
        return isSame && last > 0;
      },
      { interval: 500, timeout: 30_000 },
    )
    .toBe(true);
  return last;
}

test("results that nobody reads stop the work", async () => {
  const stream = openUnread();
  for (let index = 0; index < 1_000; index++) send(stream, { id: "i".repeat(1_024) });
  // What a stream of HTTP/2 buffers (64 KiB), and what is worked on ahead.
  expect(await settled(() => embedded)).toBeLessThan(100);
  stream.session?.destroy();
});

test("what such a result may repeat of its request counts until it was read", async () => {
  const call = () => client().embed({ model: "m".repeat(0.9 * bound) });
  const unknown = /MODEL_UNKNOWN: expected one of the models resnet50, got "m{100}"$/;
  await expect(call()).rejects.toThrow(unknown);
  const stream = openUnread();
  for (let index = 0; index < 100; index++)
    send(stream, { id: "i".repeat(1_024), model: "m".repeat(60_000) });
  // While results are taken, the bytes of one may be free for a moment.
  await expect.poll(() => call().catch(String), { timeout: 20_000 }).toContain("OVERLOADED");
  for (let round = 0; round < 20; round++) await expect(call()).rejects.toThrow("OVERLOADED");
  stream.session?.destroy();
  await expect.poll(() => call().catch(String), { timeout: 20_000 }).toMatch(unknown);
});

test("an id of 1024 bytes comes back; a longer one fails the call", async () => {
  async function* requests(id: string) {
    yield { id, image };
  }
  const first = (id: string) => client().embedStream(requests(id))[Symbol.asyncIterator]().next();
  const longest = "\u00fc".repeat(512);
  expect((await first(longest)).value?.id).toBe(longest);
  await expect(first(`${longest}i`)).rejects.toMatchObject({
    code: Code.InvalidArgument,
    rawMessage: "REQUEST_INVALID: expected an id of at most 1024 bytes of UTF-8, got 1025",
  });
});

test("an unknown model's name is shown cut, and never within a character", async () => {
  const failure = client().embed({ model: `${"a".repeat(99)}\u{1f600}` });
  await expect(failure).rejects.toMatchObject({
    code: Code.NotFound,
    rawMessage: `MODEL_UNKNOWN: expected one of the models resnet50, got "${"a".repeat(99)}\ufffd"`,
  });
});
