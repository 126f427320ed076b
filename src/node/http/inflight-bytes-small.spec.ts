import { type ClientHttp2Stream, connect as connectHttp2 } from "node:http2";
import { connect as connectSocket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { afterEach, describe, expect, test } from "vitest";
import { startTestServer, type TestServer } from "../../../tools/start-test-server.ts";
import { Health } from "../../gen/grpc/health/v1/health_pb.ts";
import { ServerReflection } from "../../gen/grpc/reflection/v1/reflection_pb.ts";
import { Operator } from "../../gen/omnisearch/operator_pb.ts";
import type { HttpLimits } from "./http-limits.ts";

const bound = 10_000;
let server: TestServer;
/** What the tests below opened and leave open. */
const opened: { destroy(): void }[] = [];

async function start(limits: Partial<HttpLimits> = {}): Promise<void> {
  server = await startTestServer(
    (router) => {
      router.service(Operator, {
        identity: () => ({ name: "small" }),
        healthy: () => ({ healthy: "healthy" }),
      });
      router.service(Health, {
        check: () => ({}),
        async *watch(_request, { signal }) {
          yield {};
          await new Promise((resolve) => signal.addEventListener("abort", resolve));
        },
      });
      router.service(ServerReflection, {
        async *serverReflectionInfo(requests) {
          for await (const { host } of requests) yield { validHost: host };
        },
      });
    },
    { smallInflightMaxBytes: bound, ...limits },
  );
}
afterEach(async () => {
  for (const client of opened.splice(0)) client.destroy();
  await server.server.close({ graceMs: 0 });
});

function openStream(path: string): ClientHttp2Stream {
  const session = connectHttp2(server.url);
  session.on("error", () => undefined);
  opened.push(session);
  const stream = session.request({
    ":method": "POST",
    ":path": path,
    "content-type": "application/grpc",
    te: "trailers",
  });
  return stream.on("error", () => undefined);
}
const frame = (bytes: Buffer) => {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
};
/** A protobuf message whose field 1 is a string of `bytes` letters, fewer than 16384. */
const named = (bytes: number) =>
  Buffer.concat([Buffer.of(10, (bytes & 127) | 128, bytes >> 7), Buffer.alloc(bytes, "a")]);

/** How a Watch of a service of that long a name goes on. */
function watch(nameBytes: number): Promise<string> {
  const stream = openStream("/grpc.health.v1.Health/Watch");
  stream.end(frame(named(nameBytes)));
  return new Promise((resolve) => {
    stream.on("data", () => resolve("open"));
    stream.on(
      "response",
      (head) => head["grpc-message"] && resolve(decodeURIComponent(String(head["grpc-message"]))),
    );
    stream.on("trailers", (tail) => resolve(decodeURIComponent(String(tail["grpc-message"]))));
  });
}

async function expectAllAnswered(): Promise<void> {
  const transport = createGrpcTransport({ baseUrl: server.url });
  await createClient(Health, transport).check({ service: "a".repeat(1_000) });
  await createClient(Operator, transport).identity({});
  await createClient(Operator, transport).healthy({});
}

test("Watch streams hold no bytes, however many and long their names are", async () => {
  await start();
  const all = await Promise.all(Array.from({ length: 40 }, () => watch(1_000)));
  expect(new Set(all)).toEqual(new Set(["open"]));
  await expectAllAnswered();
});

test("a health check takes a name of a kibibyte, and no longer one", async () => {
  await start();
  expect(await watch(1_021)).toBe("open");
  expect(await watch(1_022)).toMatch(/^message size 1025 is larger than configured readMaxBytes 1024/);
});

test("what a call streams back holds its request no longer than until it was read", async () => {
  await start({ requestMaxBytesByRpc: {} });
  for (let round = 0; round < 20; round++) expect(await watch(8_000)).toBe("open");
  await expectAllAnswered();
});

describe("requests of which half was sent close no question for others", () => {
  test.each([
    ["of a health check", "/grpc.health.v1.Health/Check", 1_000],
    ["of a health check that claims 64 KiB", "/grpc.health.v1.Health/Check", 60_000],
    ["of a question about the schema", "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", 60_000],
  ])("%s", async (_, path, claimed) => {
    await start();
    for (let round = 0; round < 30; round++) {
      openStream(path)
        .resume()
        .write(frame(Buffer.alloc(claimed)).subarray(0, -100));
    }
    for (let round = 0; round < 30; round++) {
      const socket = connectSocket(server.port, "127.0.0.1").on("error", () => undefined);
      opened.push(socket);
      socket.write(
        `POST ${path} HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: ${claimed}\r\n\r\n{`,
      );
      socket.write(" ".repeat(claimed - 100));
    }
    await sleep(300);
    await expectAllAnswered();
  });
});

test("beyond the bound, a small call is told so in words of its own", async () => {
  await start();
  const first = openStream("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo");
  first.resume().write(frame(Buffer.alloc(9_000)).subarray(0, -100));
  await sleep(300);
  const { serverReflectionInfo } = createClient(
    ServerReflection,
    createGrpcTransport({ baseUrl: server.url }),
  );
  async function* questions() {
    yield { host: "a".repeat(5_000) };
  }
  await expect(serverReflectionInfo(questions())[Symbol.asyncIterator]().next()).rejects.toThrow(
    /OVERLOADED: expected at most 10000 bytes of small requests at once, got 1[34]\d{3}; try again later$/,
  );
});
