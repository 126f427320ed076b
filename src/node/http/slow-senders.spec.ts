import { once } from "node:events";
import { constants } from "node:http2";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  drip,
  healthy,
  http1Head,
  http2Head,
  type ImpatientServer,
  kinds,
  postJson,
  startImpatientServer,
} from "../../../tools/impatient-server.ts";
import { http2Frame, http2Hello, parseHttp2Frames } from "../../../tools/raw-http.ts";

const embedStream = "/portico.v1.EmbeddingService/EmbedStream";

describe.each(kinds)("over %s", (kind) => {
  let server: ImpatientServer;
  beforeEach(async () => {
    server = await startImpatientServer(kind);
  });
  afterEach(() => server.close());

  test.each<[string, 1 | 2, string]>([
    ["silence", 1, ""],
    ["silence after ALPN chose h2", 2, ""],
    ["half a preface", 2, "PRI * HTTP/2.0\r\n"],
  ])("%s from the start", async (_, version, sent) => {
    const { socket } = await server.open(version);
    if (sent) socket.write(sent);
    await server.expectGone();
    await server.expectAlive();
  });

  test("HTTP/1.1 headers of one byte at a time", async () => {
    const { socket, got } = await server.open(1);
    await drip(socket, [..."GET / HTTP/1.1\r\nHost: a\r\nX-Slow: 1".padEnd(200, "1")]);
    await server.expectGone();
    expect(got()).toMatch(/^HTTP\/1\.1 408 /);
    await server.expectAlive();
  });

  test("an HTTP/1.1 body of one byte at a time", async () => {
    const { socket, got } = await server.open(1);
    socket.write(http1Head(healthy, 1000));
    await drip(socket, Array(200).fill(" "));
    await server.expectGone();
    expect(got()).toMatch(/^HTTP\/1\.1 408 /);
    await server.expectAlive();
  });

  test("an HTTP/1.1 connection that is kept and not used", async () => {
    const { socket, got } = await server.open(1);
    const body = "{}";
    socket.write(http1Head(healthy, body.length) + body);
    // Often enough to see it before it ends.
    await expect.poll(got, { interval: 5 }).toMatch(/^HTTP\/1\.1 200 /);
    expect(server.connections()).toBe(1);
    await server.expectGone();
  });

  const framesOf = (got: () => string) => parseHttp2Frames(got()).map(({ type }) => type);
  const resetFrame = 3;
  const goAwayFrame = 7;

  test("an HTTP/2 header block that never ends", async () => {
    const { socket, got } = await server.open(2);
    const whole = http2Head(healthy);
    // The same frame without END_HEADERS.
    socket.write(Buffer.concat([http2Hello, http2Frame(1, 0, 1, whole.subarray(9))]));
    await server.expectGone();
    expect(framesOf(got)).toContain(goAwayFrame);
    await server.expectAlive();
  });

  test("an HTTP/2 header block that goes on for ever, a byte at a time", async () => {
    const { socket } = await server.open(2);
    socket.write(Buffer.concat([http2Hello, http2Frame(1, 0, 1, http2Head(healthy).subarray(9))]));
    await drip(socket, Array(200).fill(http2Frame(9, 0, 1, Buffer.alloc(0))));
    await server.expectGone();
    await server.expectAlive();
  });

  test("an HTTP/2 session without calls, although it pings and never closes its side", async () => {
    const { socket, got } = await server.open(2);
    socket.write(http2Hello);
    await drip(socket, Array(200).fill(http2Frame(6, 0, 0, Buffer.alloc(8))));
    await server.expectGone();
    expect(framesOf(got)).toContain(goAwayFrame);
  });

  test("an HTTP/2 body of one byte at a time", async () => {
    const { socket, got } = await server.open(2);
    socket.write(Buffer.concat([http2Hello, http2Head(healthy)]));
    await drip(socket, Array(60).fill(http2Frame(0, 0, 1, Buffer.from(" "))));
    await expect.poll(() => framesOf(got)).toContain(resetFrame);
    await server.expectGone();
    await server.expectAlive();
  });

  test("a stream of requests that falls silent, but not one that speaks from time to time", async () => {
    const session = server.openHttp2();
    const stream = postJson(session, embedStream, "application/connect+json");
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
    await expect.poll(() => closed).toBe(true);
    session.destroy();
    await server.expectGone();
  });

  test("a message of a stream whose bytes come one at a time, though the one before came whole", async () => {
    const session = server.openHttp2();
    const stream = postJson(session, embedStream, "application/connect+json");
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
    await server.expectGone();
    await server.expectAlive();
  });
});
