import { once } from "node:events";
import { connect as connectHttp2, constants } from "node:http2";
import { connect as connectTcp, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { connect as connectTls } from "node:tls";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { http2Frame, http2Headers, http2Hello, parseHttp2Frames } from "../../../tools/raw-http.ts";
import { startTestServer, type TestServer } from "../../../tools/start-test-server.ts";
import { createTestAuthority } from "../../../tools/test-certificates.ts";
import { Operator } from "../../gen/omnisearch/operator_pb.ts";
import { EmbeddingService } from "../../gen/portico/v1/embedding_pb.ts";
import { checkTlsTexts } from "../access/tls-files.ts";
import type { HttpLimits } from "./http-limits.ts";

const authority = createTestAuthority();
const { certPem: cert, keyPem: key } = authority.issue("localhost", ["127.0.0.1"]);

/** Small, so that the tests are quick; every one of them is far below the time that a test waits. */
const limits: Partial<HttpLimits> = {
  prefaceTimeoutMs: 300,
  headersTimeoutMs: 300,
  requestTimeoutMs: 1_000,
  keepAliveTimeoutMs: 200,
  sessionIdleTimeoutMs: 300,
  goodbyeTimeoutMs: 100,
  replyStallTimeoutMs: 500,
};

/** Larger than what the two sockets' buffers hold. */
const hugeReply = "x".repeat(24 * 2 ** 20);

const routes: Parameters<typeof startTestServer>[0] = (router) => {
  router.service(Operator, {
    healthy: () => ({ healthy: "healthy" }),
    identity: () => ({ name: hugeReply }),
    async execute() {
      await sleep(3 * Number(limits.replyStallTimeoutMs));
      return { nums: 7n };
    },
  });
  router.service(EmbeddingService, {
    async *embedStream(requests) {
      for await (const { id } of requests) yield { id };
    },
  });
};

const kinds = ["plain", "TLS"] as const;
type Kind = (typeof kinds)[number];
const healthy = "/omnisearch.Operator/Healthy";
const json: [string, string] = ["content-type", "application/json"];

describe.each(kinds)("over %s", (kind) => {
  let running: TestServer;
  beforeEach(async () => {
    const material = checkTlsTexts({ cert, key }, { certFile: "", keyFile: "" });
    running = await startTestServer(routes, limits, {}, kind === "TLS" ? material : undefined);
  });
  afterEach(() => running.server.close({ graceMs: 0 }));

  /** Everything that came from the server is in `got()`; half-open, so that only the server can end it. */
  async function open(version: 1 | 2) {
    const socket = await openSocket(kind, running.port, version === 2 ? "h2" : "http/1.1");
    let received = "";
    socket.on("data", (chunk: Buffer) => {
      received += chunk.toString("latin1");
    });
    return { socket, got: () => received };
  }
  const expectGone = () =>
    vi.waitFor(() => expect(running.server.connections()).toBe(0), { timeout: 10_000 });
  const expectAlive = async () => {
    const session = connectHttp2(running.url, { ca: authority.certPem });
    const stream = session.request({
      ":method": "POST",
      ":path": healthy,
      "content-type": "application/json",
    });
    stream.end("{}");
    const [headers] = await once(stream, "response");
    expect(headers[":status"]).toBe(200);
    session.destroy();
  };

  test.each<[string, 1 | 2, string]>([
    ["silence", 1, ""],
    ["silence after ALPN chose h2", 2, ""],
    ["half a preface", 2, "PRI * HTTP/2.0\r\n"],
  ])("%s from the start", async (_, version, sent) => {
    const { socket } = await open(version);
    if (sent) socket.write(sent);
    await expectGone();
    await expectAlive();
  });

  test("HTTP/1.1 headers of one byte at a time", async () => {
    const { socket, got } = await open(1);
    await drip(socket, [..."GET / HTTP/1.1\r\nHost: a\r\nX-Slow: 1".padEnd(200, "1")]);
    await expectGone();
    expect(got()).toMatch(/^HTTP\/1\.1 408 /);
    await expectAlive();
  });

  test("an HTTP/1.1 body of one byte at a time", async () => {
    const { socket, got } = await open(1);
    socket.write(`POST ${healthy} HTTP/1.1\r\nHost: a\r\n${json.join(": ")}\r\nContent-Length: 1000\r\n\r\n`);
    await drip(socket, Array(200).fill(" "));
    await expectGone();
    expect(got()).toMatch(/^HTTP\/1\.1 408 /);
    await expectAlive();
  });

  test("an HTTP/1.1 connection that is kept and not used", async () => {
    const { socket, got } = await open(1);
    const body = "{}";
    socket.write(
      `POST ${healthy} HTTP/1.1\r\nHost: a\r\n${json.join(": ")}\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    await vi.waitFor(() => expect(got()).toMatch(/^HTTP\/1\.1 200 /));
    expect(running.server.connections()).toBe(1);
    await expectGone();
  });

  const callHeaders = (path: string, type = "application/json") =>
    http2Headers(
      1,
      [
        [":method", "POST"],
        [":scheme", "http"],
        [":path", path],
        [":authority", "a"],
        ["content-type", type],
      ],
      false,
    );
  const framesOf = (got: () => string) => parseHttp2Frames(got()).map(({ type }) => type);
  const resetFrame = 3;
  const goAwayFrame = 7;

  test("an HTTP/2 header block that never ends", async () => {
    const { socket, got } = await open(2);
    const whole = callHeaders(healthy);
    // The same frame without END_HEADERS.
    socket.write(Buffer.concat([http2Hello, http2Frame(1, 0, 1, whole.subarray(9))]));
    await expectGone();
    expect(framesOf(got)).toContain(goAwayFrame);
    await expectAlive();
  });

  test("an HTTP/2 header block that goes on for ever, a byte at a time", async () => {
    const { socket } = await open(2);
    socket.write(Buffer.concat([http2Hello, http2Frame(1, 0, 1, callHeaders(healthy).subarray(9))]));
    await drip(socket, Array(200).fill(http2Frame(9, 0, 1, Buffer.alloc(0))));
    await expectGone();
    await expectAlive();
  });

  test("an HTTP/2 session without calls, although it pings and never closes its side", async () => {
    const { socket, got } = await open(2);
    socket.write(http2Hello);
    await drip(socket, Array(200).fill(http2Frame(6, 0, 0, Buffer.alloc(8))));
    await expectGone();
    expect(framesOf(got)).toContain(goAwayFrame);
  });

  test("an HTTP/2 body of one byte at a time", async () => {
    const { socket, got } = await open(2);
    socket.write(Buffer.concat([http2Hello, callHeaders(healthy)]));
    await drip(socket, Array(60).fill(http2Frame(0, 0, 1, Buffer.from(" "))));
    await vi.waitFor(() => expect(framesOf(got)).toContain(resetFrame));
    await expectGone();
    await expectAlive();
  });

  test("a stream of requests that falls silent, but not one that speaks from time to time", async () => {
    const session = connectHttp2(running.url, { ca: authority.certPem });
    const stream = session.request({
      ":method": "POST",
      ":path": "/portico.v1.EmbeddingService/EmbedStream",
      "content-type": "application/connect+json",
    });
    let closed = false;
    stream
      .on("error", () => undefined)
      .once("close", () => {
        closed = true;
      });
    stream.resume();
    for (let round = 0; round < 6; round++) {
      stream.write(Buffer.concat([Buffer.from([0, 0, 0, 0, 2]), Buffer.from("{}")]));
      await sleep(250);
    }
    expect(closed).toBe(false);
    await vi.waitFor(() => expect(closed).toBe(true), { timeout: 5_000 });
    session.destroy();
    await expectGone();
  });

  test("a message of a stream whose bytes come one at a time, though the one before came whole", async () => {
    const session = connectHttp2(running.url, { ca: authority.certPem });
    const stream = session.request({
      ":method": "POST",
      ":path": "/portico.v1.EmbeddingService/EmbedStream",
      "content-type": "application/connect+json",
    });
    const closed = once(stream.on("error", () => undefined).resume(), "close");
    stream.write(Buffer.from("\0\0\0\0\x02{}\0\0\0\x03\xe8{", "latin1"));
    let isClosed = false;
    closed.then(() => {
      isClosed = true;
    });
    const most = 400;
    let sent = 0;
    for (; sent < most && !isClosed; sent++) {
      stream.write(" ");
      await sleep(30);
    }
    expect(sent).toBeLessThan(most);
    expect(stream.rstCode).toBe(constants.NGHTTP2_CANCEL);
    session.destroy();
    await expectGone();
    await expectAlive();
  });

  describe("a client that does not read its reply", () => {
    const warned = "warn: a client did not read its reply and was cut off";

    test("HTTP/1.1", async () => {
      const socket = await openSocket(kind, running.port, "http/1.1");
      socket.write(
        `POST /omnisearch.Operator/Identity HTTP/1.1\r\nHost: a\r\n${json.join(": ")}\r\nContent-Length: 2\r\n\r\n{}`,
      );
      await expectGone();
      expect(running.logged).toEqual([warned]);
      await expectAlive();
    });

    test("HTTP/2, a closed window: the stream goes, the session and its other calls stay", async () => {
      const session = connectHttp2(running.url, {
        ca: authority.certPem,
        settings: { initialWindowSize: 100 },
      });
      const call = (method: string) => {
        const stream = session.request({
          ":method": "POST",
          ":path": `/omnisearch.Operator/${method}`,
          "content-type": "application/json",
        });
        stream.on("error", () => undefined).end("{}");
        return stream;
      };
      // Its short reply comes when the time for the ping's answer is over as well.
      const late = text(call("Execute"));
      const stuck = call("Identity");
      await once(stuck, "close");
      expect(stuck.rstCode).toBe(constants.NGHTTP2_CANCEL);
      expect(running.logged).toEqual([warned]);
      expect(await late).toBe('{"nums":"7"}');
      session.destroy();
      await expectGone();
    });

    test("HTTP/2, a connection that is not read: the session goes", async () => {
      const socket = await openSocket(kind, running.port, "h2");
      const largest = Buffer.from("7fff0000", "hex");
      socket.write(
        Buffer.concat([
          http2Hello.subarray(0, 24),
          // SETTINGS_INITIAL_WINDOW_SIZE, and as much for the whole session.
          http2Frame(4, 0, 0, Buffer.concat([Buffer.from([0, 4]), largest])),
          http2Frame(8, 0, 0, largest),
          callHeaders("/omnisearch.Operator/Identity"),
          http2Frame(0, 1, 1, Buffer.from("{}")),
        ]),
      );
      await expectGone();
      expect(running.logged).toEqual([warned]);
      await expectAlive();
    });
  });

  test("a reply that waits for the one before it, on a connection with two requests at once, is left alone", async () => {
    const { socket, got } = await open(1);
    const request = (method: string) =>
      `POST /omnisearch.Operator/${method} HTTP/1.1\r\nHost: a\r\n${json.join(": ")}\r\nContent-Length: 2\r\n\r\n{}`;
    socket.write(request("Execute") + request("Healthy"));
    await vi.waitFor(() => expect(got()).toContain('{"healthy":"healthy"}'), { timeout: 10_000 });
    expect(got().indexOf('{"nums":"7"}')).toBeLessThan(got().indexOf('{"healthy":"healthy"}'));
    expect(running.logged).toEqual([]);
  });

  test("a reply that takes long to make, and a client that reads slowly, are left alone", async () => {
    const session = connectHttp2(running.url, {
      ca: authority.certPem,
      settings: { initialWindowSize: 2 ** 20 },
    });
    const call = (method: string) => {
      const stream = session.request({
        ":method": "POST",
        ":path": `/omnisearch.Operator/${method}`,
        "content-type": "application/json",
      });
      stream.end("{}");
      return stream;
    };
    const lateText = text(call("Execute"));
    const slow = call("Identity");
    let bytes = 0;
    for await (const chunk of slow) {
      bytes += chunk.length;
      // Each round of the window takes half of the stall time.
      if (bytes % (4 * 2 ** 20) < chunk.length) await sleep(Number(limits.replyStallTimeoutMs) / 2);
    }
    expect(bytes).toBeGreaterThan(hugeReply.length);
    expect(await lateText).toBe('{"nums":"7"}');
    expect(running.logged).toEqual([]);
    session.destroy();
  });
});

async function openSocket(kind: Kind, port: number, protocol: string): Promise<Socket> {
  const to = { port, host: "127.0.0.1" };
  const tcp = connectTcp({ ...to, noDelay: true, allowHalfOpen: true });
  tcp.on("error", () => undefined);
  if (kind === "plain") {
    await once(tcp, "connect");
    return tcp;
  }
  const socket = connectTls({
    socket: tcp,
    ca: authority.certPem,
    host: "127.0.0.1",
    ALPNProtocols: [protocol],
  });
  await once(socket, "secureConnect");
  return socket.on("error", () => undefined);
}

/** Sends one part each 30 ms for as long as the server takes them. */
async function drip(socket: Socket, parts: readonly (string | Uint8Array)[]): Promise<void> {
  let open = true;
  for (const event of ["end", "close", "error"]) {
    socket.once(event, () => {
      open = false;
    });
  }
  for (const part of parts) {
    if (!open) return;
    socket.write(part);
    await sleep(30);
  }
}
