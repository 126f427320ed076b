import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import {
  envelope,
  expectAlive,
  guarded,
  json,
  messageMaxBytes,
  operator,
  send,
  useGuardedServer,
} from "../../../tools/guarded-server.ts";
import { sendRaw } from "../../../tools/raw-http.ts";

useGuardedServer();

describe("a body over the limit", () => {
  const tooLong = Buffer.alloc(20_000, "a");
  const limit = `configured readMaxBytes ${messageMaxBytes}`;

  const over: [string, string, Uint8Array, object][] = [
    ["Connect, length told", json, tooLong, { "content-length": String(tooLong.length) }],
    ["Connect, length not told", json, tooLong, {}],
    ["Connect, beyond the window", json, Buffer.alloc(3_000_000), {}],
    ["gRPC", "application/grpc", envelope(tooLong), {}],
    ["gRPC, beyond the window", "application/grpc", envelope(Buffer.alloc(3_000_000)), {}],
    ["gRPC-Web", "application/grpc-web", envelope(tooLong), {}],
    ["Connect, gzip", json, gzipSync(tooLong), { "content-encoding": "gzip" }],
    ["gRPC, gzip", "application/grpc", envelope(gzipSync(tooLong), 1), { "grpc-encoding": "gzip" }],
  ];
  test.each(over)("over HTTP/2, then a good call on the session: %s", async (_, type, body, headers) => {
    // Often enough to use up the session's window if refused bytes were not given back.
    for (let round = 0; round < 12; round++) {
      const answer = await send(`${operator}/Execute`, type, body, headers);
      const told = decodeURIComponent(JSON.stringify([answer.body, answer.headers, answer.trailers]));
      expect(told).toContain(type === json ? "resource_exhausted" : "8");
      expect(told).toContain(limit);
    }
    await expectAlive();
    expect(guarded.session.closed).toBe(false);
    expect(guarded.running.server.connections()).toBe(2);
    // No stream is left open, or the session would not end.
    guarded.session.destroy();
    await expect.poll(() => guarded.running.server.connections()).toBe(1);
  });

  test.each([1, 8])("over HTTP/2, of a client that resets the stream with code %d", async (code) => {
    for (let round = 0; round < 5; round++) {
      const stream = guarded.session.request({
        ":method": "POST",
        ":path": `${operator}/Execute`,
        "content-type": json,
      });
      const closed = new Promise((resolve) => stream.on("close", resolve));
      stream.on("error", () => undefined).resume();
      stream.write(Buffer.alloc(500_000));
      await sleep(round);
      stream.close(code);
      await closed;
    }
    await expectAlive();
    guarded.session.close();
    await expect.poll(() => guarded.running.server.connections()).toBe(1);
  });

  const http1Post = (length: number, more = "") =>
    `POST ${operator}/Execute HTTP/1.1\r\nHost: a\r\nContent-Type: ${json}\r\nContent-Length: ${length}\r\n${more}\r\n`;
  const good = `POST ${operator}/Healthy HTTP/1.1\r\nHost: a\r\nContent-Type: ${json}\r\nContent-Length: 2\r\n\r\n{}`;

  test("over HTTP/1.1, then a good call on the connection", async () => {
    const { text, closed } = await sendRaw(guarded.running.port, [http1Post(tooLong.length), tooLong, good]);
    expect(text).toMatch(
      /^HTTP\/1\.1 429 .*resource_exhausted.*HTTP\/1\.1 200 OK.*\{"healthy":"healthy"\}$/s,
    );
    expect(closed).toBe(false);
  });

  test("over HTTP/1.1, chunked, then a good call on the connection", async () => {
    const head = http1Post(0).replace("Content-Length: 0", "Transfer-Encoding: chunked");
    const parts = [head, "4e20\r\n", tooLong, "\r\n0\r\n\r\n", good];
    const { text, closed } = await sendRaw(guarded.running.port, parts);
    expect(text).toMatch(
      /^HTTP\/1\.1 429 .*resource_exhausted.*HTTP\/1\.1 200 OK.*\{"healthy":"healthy"\}$/s,
    );
    expect(closed).toBe(false);
  });

  test.each<[string, string, Uint8Array[]]>([
    ["that stalls", http1Post(20_000), [tooLong.subarray(0, 5_000)]],
    ["that is endless", http1Post(1e9), Array(30).fill(tooLong)],
    ["of a client that closes", http1Post(20_000, "Connection: close\r\n"), [tooLong]],
    [
      "to an unknown path, that stalls",
      http1Post(20_000).replace("Execute", "Nope"),
      [tooLong.subarray(0, 9)],
    ],
  ])("over HTTP/1.1 %s is answered and the connection closed", async (_, head, body) => {
    const { text, closed } = await sendRaw(guarded.running.port, [head, ...body], 2_000);
    expect(text).toMatch(/^HTTP\/1\.1 4(29|04) .*(resource_exhausted|unimplemented)/is);
    expect(closed).toBe(true);
    await expectAlive();
  });

  test("of a client that leaves in the middle", async () => {
    const socket = connect({ host: "127.0.0.1", port: guarded.running.port });
    socket.write(http1Post(20_000));
    socket.write(tooLong.subarray(0, 5_000));
    await sleep(30);
    socket.resetAndDestroy();
    await expectAlive();
  });
});

describe("a body that does not arrive", () => {
  test("over HTTP/2 ends its stream after the request timeout, not the session", async () => {
    const stream = guarded.session.request({
      ":method": "POST",
      ":path": `${operator}/Healthy`,
      "content-type": json,
    });
    stream.on("error", () => undefined);
    stream.write("{");
    await once(stream, "close");
    expect(stream.rstCode).toBe(8);
    await expectAlive();
  });

  test("over HTTP/1.1 is answered with 408", async () => {
    const head = `POST ${operator}/Healthy HTTP/1.1\r\nHost: a\r\nContent-Type: ${json}\r\nContent-Length: 9\r\n\r\n{`;
    const { text, closed } = await sendRaw(guarded.running.port, [head], 2_000);
    expect(text).toMatch(/^HTTP\/1\.1 408 /);
    expect(closed).toBe(true);
    await expectAlive();
  });
});

test.each([
  ["gzip", gzipSync('{"datas":[]}').subarray(0, 20)],
  ["br", brotliCompressSync('{"datas":[]}').subarray(0, 8)],
])("%s data that end too early are the caller's fault", async (encoding, body) => {
  const answer = await send(`${operator}/Execute`, json, body, { "content-encoding": encoding });
  expect(answer.status).toBe(400);
  expect(JSON.parse(answer.body)).toEqual({
    code: "invalid_argument",
    message: `expected complete ${encoding} data, got ${body.length} bytes that end too early`,
  });
  expect(guarded.running.logged).toEqual([]);
});
