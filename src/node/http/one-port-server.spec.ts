import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { http2Frame, http2Headers, http2Hello, parseHttp2Frames, sendRaw } from "../../../tools/raw-http.ts";
import { startTestServer, type TestServer } from "../../../tools/start-test-server.ts";
import { EmbedError } from "../../errors.ts";
import { Operator } from "../../gen/omnisearch/operator_pb.ts";
import type { HttpLimits } from "./http-limits.ts";
import { createOnePortServer } from "./one-port-server.ts";

/** Healthy answers at once, Identity after 300 ms. */
const start = (limits: Partial<HttpLimits> = {}) =>
  startTestServer(
    (router) =>
      router.service(Operator, {
        healthy: () => ({ healthy: "healthy" }),
        async identity() {
          await sleep(300);
          return { name: "slow" };
        },
      }),
    limits,
  );

let running: TestServer;
beforeEach(async () => {
  running = await start();
});
afterEach(() => running.server.close({ graceMs: 0 }));

/** Far more than a busy machine needs; what a test waits for comes sooner. */
const waitMs = 20_000;

const json = { "content-type": "application/json" };

async function callHttp1(url: string, method = "Healthy"): Promise<string> {
  const response = await fetch(`${url}/omnisearch.Operator/${method}`, {
    method: "POST",
    headers: json,
    body: "{}",
  });
  return `${response.status} ${await response.text()}`;
}

async function callHttp2(url: string, method = "Healthy"): Promise<string> {
  const session = connectHttp2(url);
  try {
    const stream = session.request({ ":method": "POST", ":path": `/omnisearch.Operator/${method}`, ...json });
    let status: unknown;
    let text = "";
    stream.on("response", (headers) => {
      status = headers[":status"];
    });
    stream.setEncoding("utf8").on("data", (chunk) => {
      text += chunk;
    });
    stream.end("{}");
    await once(stream, "close");
    return `${status} ${text}`;
  } finally {
    session.close();
  }
}

async function expectAlive({ url }: TestServer): Promise<void> {
  expect(await callHttp1(url)).toBe('200 {"healthy":"healthy"}');
  expect(await callHttp2(url)).toBe('200 {"healthy":"healthy"}');
}

test("one port answers HTTP/1.1 and HTTP/2", async () => {
  await expectAlive(running);
});

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
    const quick = await start({ headersTimeoutMs: 200 });
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
    const quick = await start({ prefaceTimeoutMs: 150 });
    const { text, closed } = await sendRaw(quick.port, parts, waitMs);
    expect({ text, closed }).toEqual({ text: "", closed: true });
    await vi.waitFor(() => expect(quick.server.connections()).toBe(0));
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
    await vi.waitFor(() => expect(running.server.connections()).toBe(0));
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

describe("idle HTTP/2 sessions", () => {
  test("go after the idle time, unless a stream is open", async () => {
    const idle = await start({ sessionIdleTimeoutMs: 120 });
    try {
      const { text, closed } = await sendRaw(idle.port, [http2Hello], waitMs);
      expect(parseHttp2Frames(text).map(({ type }) => type)).toContain(7);
      expect(closed).toBe(true);
      expect(await callHttp2(idle.url, "Identity")).toBe('200 {"name":"slow"}');
    } finally {
      await idle.server.close({ graceMs: 0 });
    }
  });
});

test("an HTTP/2 client that goes without a GOAWAY leaves nothing behind", async () => {
  const socket = connect({ host: "127.0.0.1", port: running.port });
  socket.write(http2Hello);
  await once(socket, "data");
  socket.resume().end();
  await once(socket, "close");
  await vi.waitFor(() => expect(running.server.connections()).toBe(0));
});

test("connections beyond the limit are refused, and logged once", async () => {
  const small = await start({ maxConnections: 2 });
  try {
    const sockets = [0, 1].map(() => connect({ host: "127.0.0.1", port: small.port }));
    await Promise.all(sockets.map((socket) => once(socket, "connect")));
    for (const _ of [0, 1]) {
      expect(await sendRaw(small.port, ["GET / HTTP/1.1\r\nHost: a\r\n\r\n"], waitMs)).toEqual({
        text: "",
        closed: true,
      });
    }
    expect(small.server.connections()).toBe(2);
    expect(small.logged).toEqual(["warn: connections are refused: the limit is reached"]);
    for (const socket of sockets) socket.destroy();
    await sleep(50);
    await expectAlive(small);
  } finally {
    await small.server.close({ graceMs: 0 });
  }
});

describe("close", () => {
  test("lets calls of both versions end and refuses new connections", async () => {
    const calls = [callHttp1(running.url, "Identity"), callHttp2(running.url, "Identity")];
    await sleep(100);
    const started = performance.now();
    const closed = running.server.close({ graceMs: 10_000 });
    await expect(callHttp1(running.url)).rejects.toThrow("fetch failed");
    expect(await Promise.all(calls)).toEqual(['200 {"name":"slow"}', '200 {"name":"slow"}']);
    await closed;
    expect(performance.now() - started).toBeLessThan(2_000);
    await vi.waitFor(() => expect(running.server.connections()).toBe(0));
  });

  test("ends idle connections at once", async () => {
    await callHttp1(running.url);
    const session = connectHttp2(running.url);
    const silent = connect({ host: "127.0.0.1", port: running.port });
    await Promise.all([once(session, "remoteSettings"), once(silent, "connect")]);
    const started = performance.now();
    await running.server.close({ graceMs: 10_000 });
    expect(performance.now() - started).toBeLessThan(1_000);
  });

  test("destroys what is left after the grace", async () => {
    const call = callHttp1(running.url, "Identity").catch((error: Error) => error.message);
    await sleep(100);
    await running.server.close({ graceMs: 50 });
    expect(await call).toBe("fetch failed");
  });

  test("may be called twice, and before listen", async () => {
    await Promise.all([running.server.close({ graceMs: 10 }), running.server.close({ graceMs: 10 })]);
    await createOnePortServer({ handler: () => undefined, log: () => undefined }).close({ graceMs: 10 });
  });
});

describe("listen says what is wrong with the address", () => {
  const choose = "choose another with --listen HOST:PORT or the environment variable OP_ENDPOINT";
  const cases: [string, () => { host: string | undefined; port: number }, string][] = [
    [
      "taken",
      () => ({ host: "127.0.0.1", port: running.port }),
      "expected port PORT on 127.0.0.1 to be free, but something listens there already; CHOOSE",
    ],
    [
      "not of this machine",
      () => ({ host: "192.0.2.1", port: 0 }),
      "expected an address of this machine to listen on, got 192.0.2.1; 0.0.0.0 is all of them; CHOOSE",
    ],
    [
      "a port out of range",
      () => ({ host: undefined, port: 70_000 }),
      "expected a port from 0 to 65535 to listen on, got 70000; CHOOSE",
    ],
    [
      "no such name",
      () => ({ host: "nowhere.invalid", port: 0 }),
      'expected an address of this machine to listen on, got "nowhere.invalid", which has no address; CHOOSE',
    ],
  ];
  test.each(cases)("%s", async (_, address, message) => {
    const server = createOnePortServer({ handler: () => undefined, log: () => undefined });
    const error = await server.listen(address()).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(EmbedError);
    expect(error).toMatchObject({
      reason: "CONFIG_INVALID",
      message: message.replace("PORT", String(running.port)).replace("CHOOSE", choose),
    });
  });
});

describe("requests sent ahead on one connection", () => {
  const slow =
    "POST /omnisearch.Operator/Identity HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}";

  test.each([
    { count: 3, answers: 3, logged: [] },
    {
      count: 4,
      answers: 0,
      logged: ["warn: a client that sent too many requests ahead was cut off"],
    },
  ])("$count of at most 3: $answers answers", async ({ count, answers, logged }) => {
    const server = await start({ maxRequestsAhead: 3 });
    const { text } = await sendRaw(server.port, [slow.repeat(count)], 2_000);
    expect(text.split("HTTP/1.1 200").length - 1).toBe(answers);
    expect(server.logged).toEqual(logged);
    await server.server.close({ graceMs: 0 });
  });
});
