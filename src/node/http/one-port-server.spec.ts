import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { http2Hello, parseHttp2Frames, sendRaw } from "../../../tools/raw-http.ts";
import { callHttp1, callHttp2, expectAlive, startSmallServer, waitMs } from "../../../tools/small-server.ts";
import type { TestServer } from "../../../tools/start-test-server.ts";
import { EmbedError } from "../../errors.ts";
import { createOnePortServer } from "./one-port-server.ts";

let running: TestServer;
beforeEach(async () => {
  running = await startSmallServer();
});
afterEach(() => running.server.close({ graceMs: 0 }));

test("one port answers HTTP/1.1 and HTTP/2", async () => {
  await expectAlive(running);
});

describe("idle HTTP/2 sessions", () => {
  test("go after the idle time, unless a stream is open", async () => {
    const idle = await startSmallServer({ sessionIdleTimeoutMs: 120 });
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
  await expect.poll(() => running.server.connections()).toBe(0);
});

test("connections beyond the limit are refused, and logged once", async () => {
  const small = await startSmallServer({ maxConnections: 2 });
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
    await expect.poll(() => running.server.connections()).toBe(0);
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
    const server = await startSmallServer({ maxRequestsAhead: 3 });
    const { text } = await sendRaw(server.port, [slow.repeat(count)], 2_000);
    expect(text.split("HTTP/1.1 200").length - 1).toBe(answers);
    expect(server.logged).toEqual(logged);
    await server.server.close({ graceMs: 0 });
  });
});
