import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { http2Frame, http2Headers, http2Hello, parseHttp2Frames, sendRaw } from "../../../tools/raw-http.ts";
import { expectAlive, startSmallServer, waitMs } from "../../../tools/small-server.ts";
import type { TestServer } from "../../../tools/start-test-server.ts";

let running: TestServer;
beforeEach(async () => {
  running = await startSmallServer();
});
afterEach(() => running.server.close({ graceMs: 0 }));

const call = "POST /omnisearch.Operator/Healthy HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n";

describe("HTTP/1.1 that is hostile or odd", () => {
  const tlsHello = Buffer.from("16030100c8010000c40303", "hex");
  const cases: [string, (string | Uint8Array)[], string, boolean][] = [
    ["one byte a packet", [..."GET / HTTP/1.1\r\nHost: a\r\n\r\n"], "HTTP/1.1 200 OK", false],
    [
      "first letters of the preface",
      ["P", "R", "OPFIND / HTTP/1.1\r\nHost: a\r\n\r\n"],
      "HTTP/1.1 405 ",
      false,
    ],
    ["no Host", ["GET / HTTP/1.1\r\n\r\n"], "HTTP/1.1 400 Bad Request", true],
    ["no Host on a call", [call.replace("Host: a\r\n", ""), "\r\n"], "HTTP/1.1 400 Bad Request", true],
    [
      "malformed Host",
      [call.replace("Host: a", "Host: a b:c"), "Content-Length: 2\r\n\r\n{}"],
      "HTTP/1.1 400 ",
      false,
    ],
    [
      "port out of range",
      [call.replace("Host: a", "Host: a:99999"), "Content-Length: 2\r\n\r\n{}"],
      "HTTP/1.1 400 ",
      false,
    ],
    ["HTTP/1.0 without Host", ["GET / HTTP/1.0\r\n\r\n"], "HTTP/1.1 200 OK", true],
    [
      "HTTP/1.0 call without Host",
      [call.replace("1.1", "1.0").replace("Host: a\r\n", ""), "Content-Length: 2\r\n\r\n{}"],
      "HTTP/1.1 400 ",
      true,
    ],
    ["garbage", ["\0\x01\x02 nothing of HTTP\r\n\r\n"], "HTTP/1.1 400 Bad Request", true],
    ["TLS hello", [tlsHello], "HTTP/1.1 400 Bad Request", true],
    [
      "chunked nonsense",
      [`${call}Transfer-Encoding: chunked\r\n\r\n`, "zz\r\n{}"],
      "HTTP/1.1 400 Bad Request",
      true,
    ],
    [
      "two lengths",
      [`${call}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}`],
      "HTTP/1.1 400 Bad Request",
      true,
    ],
    [
      "length and chunked",
      [`${call}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
      "HTTP/1.1 400 Bad Request",
      true,
    ],
    [
      "headers too long",
      [`GET / HTTP/1.1\r\nHost: a\r\nX: ${"x".repeat(20_000)}\r\n\r\n`],
      "HTTP/1.1 431 ",
      true,
    ],
    ["CONNECT", ["CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n"], "", true],
    [
      "upgrade to h2c",
      ["GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n"],
      "HTTP/1.1 200 OK",
      false,
    ],
  ];
  test.each(cases)("%s", async (_, parts, answer, closed) => {
    const got = await sendRaw(running.port, parts, waitMs, (text) => !closed && text.startsWith(answer));
    expect(got.text.slice(0, Math.max(answer.length, 1))).toBe(answer);
    expect(got.closed).toBe(closed);
    await expectAlive(running);
  });

  test("headers that never end are answered with 408", async () => {
    const quick = await startSmallServer({ headersTimeoutMs: 200 });
    const { text, closed } = await sendRaw(quick.port, ["GET / HTTP/1.1\r\nHost: a\r\n"], waitMs);
    expect(text).toMatch(/^HTTP\/1\.1 408 Request Timeout/);
    expect(closed).toBe(true);
    await expectAlive(quick);
    await quick.server.close({ graceMs: 0 });
  });
});

describe("HTTP/2 that is hostile or odd", () => {
  const path = "/omnisearch.Operator/Healthy";
  const withAuthority = (...authority: [string, string][]) => [
    http2Hello,
    http2Headers(
      1,
      [
        [":method", "POST"],
        [":scheme", "http"],
        [":path", path],
        ...authority,
        ["content-type", "application/json"],
      ],
      false,
    ),
    http2Frame(0, 1, 1, Buffer.from("{}")),
  ];
  const headersFrame = 1;
  const resetFrame = 3;
  const goAwayFrame = 7;
  /** HPACK index of `:status: 400`. */
  const status400 = 0x8c;

  const authorities: [string, [string, string][]][] = [
    ["without an authority", []],
    ["with an empty authority", [[":authority", ""]]],
    ["with an open bracket", [[":authority", "[::1"]]],
    ["with a port that is none", [[":authority", "host:port"]]],
    ["with a port out of range", [[":authority", "host:99999"]]],
    ["with a space", [[":authority", "a b"]]],
    ["with a malformed host field", [["host", "%zz"]]],
  ];
  test.each(authorities)("a call %s is refused and nothing else", async (_, authority) => {
    const { text } = await sendRaw(running.port, withAuthority(...authority), waitMs, isAnswered);
    const answer = parseHttp2Frames(text).find(({ stream }) => stream === 1);
    // nghttp2 resets what is no authority by its characters; the rest reaches the guard.
    if (answer?.type !== resetFrame) {
      expect(answer?.type).toBe(headersFrame);
      expect(answer?.payload[0]).toBe(status400);
    }
    await expectAlive(running);
  });

  /** Whether the first stream has a frame. */
  function isAnswered(text: string): boolean {
    return parseHttp2Frames(text).some(({ stream }) => stream === 1);
  }

  const broken: [string, Uint8Array[]][] = [
    ["a frame that is too long", [http2Hello, Buffer.from("ffffff000000000000", "hex")]],
    ["headers that are no HPACK", [http2Hello, http2Frame(1, 5, 1, Buffer.from("ffffffffffffff", "hex"))]],
    ["data on a stream that is not open", [http2Hello, http2Frame(0, 1, 5, Buffer.from("{}"))]],
    ["garbage after the preface", [http2Hello.subarray(0, 24), Buffer.from("garbage garbage garbage")]],
  ];
  test.each(broken)("%s ends the session", async (_, parts) => {
    const { text, closed } = await sendRaw(running.port, parts, waitMs);
    expect(parseHttp2Frames(text).map(({ type }) => type)).toContain(goAwayFrame);
    expect(closed).toBe(true);
    await expectAlive(running);
  });

  test("a preface in pieces", async () => {
    const pieces = [http2Hello.subarray(0, 3), http2Hello.subarray(3, 23), http2Hello.subarray(23)];
    const parts = [...pieces, ...withAuthority([":authority", "a"]).slice(1)];
    const { text } = await sendRaw(running.port, parts, waitMs, isAnswered);
    const answer = parseHttp2Frames(text).find(({ stream }) => stream === 1);
    expect(answer?.payload[0]).toBe(0x88);
  });
});

describe("connections that say nothing of use", () => {
  test.each<[string, string[]]>([
    ["silence", []],
    ["half a preface, then silence", ["PRI * HTTP/2"]],
  ])("%s is ended after the preface timeout", async (_, parts) => {
    const quick = await startSmallServer({ prefaceTimeoutMs: 150 });
    const { text, closed } = await sendRaw(quick.port, parts, waitMs);
    expect({ text, closed }).toEqual({ text: "", closed: true });
    await expect.poll(() => quick.server.connections()).toBe(0);
    await quick.server.close({ graceMs: 0 });
  });

  test("half a preface, then garbage, is bad HTTP/1.1", async () => {
    const { text } = await sendRaw(running.port, ["PRI * HTTP/2", "garbage\r\n\r\n"], waitMs);
    expect(text).toMatch(/^HTTP\/1\.1 400 /);
    await expectAlive(running);
  });

  test.each(["", "PRI * HTTP/2.0", "POST / HT"])("a reset after %j", async (sent) => {
    const socket = connect({ host: "127.0.0.1", port: running.port });
    await once(socket, "connect");
    if (sent) socket.write(sent);
    await sleep(20);
    socket.resetAndDestroy();
    await sleep(20);
    await expect.poll(() => running.server.connections()).toBe(0);
    await expectAlive(running);
  });

  test("an end in the middle of the preface", async () => {
    const socket = connect({ host: "127.0.0.1", port: running.port });
    socket.end("PRI * H");
    socket.resume();
    await once(socket, "close");
    await expectAlive(running);
  });
});
