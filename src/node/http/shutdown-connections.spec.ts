import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { connect as connectTcp, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { connect as connectTls } from "node:tls";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { http2Frame, http2Headers, http2Hello } from "../../../tools/raw-http.ts";
import { startTestServer, type TestServer } from "../../../tools/start-test-server.ts";
import { createTestAuthority } from "../../../tools/test-certificates.ts";
import { Operator } from "../../gen/omnisearch/operator_pb.ts";
import { checkTlsTexts } from "../access/tls-files.ts";
import { trackOpenCalls } from "./close-gracefully.ts";

const authority = createTestAuthority();
const { certPem: cert, keyPem: key } = authority.issue("localhost", ["127.0.0.1"]);

/** Far more than any test takes: a server that waited for it would fail by the test's own time. */
const longGraceMs = 60_000;
/** After the linger, on a machine that is busy. */
const afterLingerMs = 600;
const limits = { closeLingerMs: 100, goodbyeTimeoutMs: 1_000 };

/** Larger than what the sockets' buffers hold. */
const hugeReply = "x".repeat(24 * 2 ** 20);

const kinds = ["plain", "TLS"] as const;
const healthyPath = "/omnisearch.Operator/Healthy";
const http2Call = http2Headers(
  1,
  [
    [":method", "POST"],
    [":scheme", "http"],
    [":path", healthyPath],
    [":authority", "a"],
    ["content-type", "application/json"],
  ],
  false,
);
/** The same frame without END_HEADERS. */
const halfHttp2Call = http2Frame(1, 0, 1, http2Call.subarray(9));
const http1Call = (method: string, body: string) =>
  `POST /omnisearch.Operator/${method} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n${body}`;

describe.each(kinds)("over %s", (kind) => {
  let running: TestServer;
  beforeEach(async () => {
    const material = checkTlsTexts({ cert, key }, { certFile: "", keyFile: "" });
    running = await startTestServer(
      (router) =>
        router.service(Operator, {
          healthy: () => ({ healthy: "healthy" }),
          identity: () => ({ name: hugeReply }),
          async execute() {
            await sleep(afterLingerMs);
            return { nums: 7n };
          },
        }),
      limits,
      {},
      kind === "TLS" ? material : undefined,
    );
  });
  afterEach(() => running.server.close({ graceMs: 0 }));

  /** Half-open: it never closes its own side, whatever the server says. */
  async function open(version: 1 | 2): Promise<{ socket: Socket; got: () => string }> {
    const tcp = connectTcp({ port: running.port, host: "127.0.0.1", noDelay: true, allowHalfOpen: true });
    tcp.on("error", () => undefined);
    await once(tcp, "connect");
    let socket: Socket = tcp;
    if (kind === "TLS") {
      const ALPNProtocols = [version === 2 ? "h2" : "http/1.1"];
      socket = connectTls({ socket: tcp, ca: authority.certPem, ALPNProtocols });
      await once(socket, "secureConnect");
    }
    let received = "";
    socket.on("data", (chunk: Buffer) => {
      received += chunk.toString("latin1");
    });
    socket.on("error", () => undefined);
    return { socket, got: () => received };
  }

  test.each<[string, 1 | 2, (string | Uint8Array)[]]>([
    ["half an HTTP/1.1 head", 1, ["GET /livez HTTP/1.1\r\nHo"]],
    ["half a second HTTP/1.1 head", 1, [http1Call("Healthy", "{}"), "GET /livez HTTP/1.1\r\nHo"]],
    [
      "half a head behind a call that still works",
      1,
      [http1Call("Execute", "{}"), "GET /livez HTTP/1.1\r\nHo"],
    ],
    ["half an HTTP/2 preface", 2, ["PRI * HTTP/2.0\r\n"]],
    ["an HTTP/2 session without a call that never closes its side", 2, [http2Hello]],
    ["half an HTTP/2 header block", 2, [http2Hello, halfHttp2Call]],
    [
      "half an HTTP/2 header block behind a call that has ended",
      2,
      [
        http2Hello,
        http2Call,
        http2Frame(0, 1, 1, Buffer.from("{}")),
        http2Frame(1, 0, 3, halfHttp2Call.subarray(9)),
      ],
    ],
  ])("%s takes none of the grace", async (_, version, parts) => {
    const { socket } = await open(version);
    for (const part of parts) {
      socket.write(part);
      await sleep(50);
    }
    expect(running.server.connections()).toBe(1);
    const startedAt = performance.now();
    await running.server.close({ graceMs: longGraceMs });
    expect(performance.now() - startedAt).toBeLessThan(longGraceMs / 6);
  });

  test("a call whose HTTP/1.1 body is still arriving is answered", async () => {
    const { socket, got } = await open(1);
    socket.write(http1Call("Healthy", "{"));
    await sleep(50);
    const closed = running.server.close({ graceMs: longGraceMs });
    await sleep(afterLingerMs);
    socket.write("}");
    await closed;
    await expect.poll(got).toMatch(/^HTTP\/1\.1 200 [\s\S]*\{"healthy":"healthy"\}$/);
    expect(got().toLowerCase()).toContain("connection: close");
  });

  test("a call whose HTTP/2 body is still arriving is answered", async () => {
    const { socket, got } = await open(2);
    socket.write(Buffer.concat([http2Hello, http2Call, http2Frame(0, 0, 1, Buffer.from("{"))]));
    await sleep(50);
    const closed = running.server.close({ graceMs: longGraceMs });
    await sleep(afterLingerMs);
    socket.write(http2Frame(0, 1, 1, Buffer.from("}")));
    await closed;
    expect(got()).toContain('{"healthy":"healthy"}');
  });

  test("an HTTP/2 call that comes too late hears at once that it was not taken", async () => {
    const { socket, got } = await open(2);
    socket.write(Buffer.concat([http2Hello, http2Call, http2Frame(0, 0, 1, Buffer.from("{"))]));
    await sleep(50);
    const closed = running.server.close({ graceMs: longGraceMs });
    // GOAWAY of 8 bytes on stream 0: the last stream is 1, and there is no error.
    const goaway = http2Frame(7, 0, 0, Buffer.from([0, 0, 0, 1, 0, 0, 0, 0])).toString("latin1");
    await expect.poll(got, { interval: 5 }).toContain(goaway);
    socket.write(http2Frame(1, 4, 3, http2Call.subarray(9)));
    await sleep(afterLingerMs);
    socket.write(
      Buffer.concat([http2Frame(0, 1, 3, Buffer.from("{}")), http2Frame(0, 1, 1, Buffer.from("}"))]),
    );
    await closed;
    // One answer, to the call that was taken.
    expect(got().split('{"healthy":"healthy"}')).toHaveLength(2);
  });

  test("a reply that is being written goes out, HTTP/1.1", async () => {
    const { socket, got } = await open(1);
    socket.pause();
    socket.write(http1Call("Identity", "{}"));
    await sleep(300);
    const closed = running.server.close({ graceMs: longGraceMs });
    await sleep(afterLingerMs);
    socket.resume();
    await closed;
    await expect.poll(got).toMatch(/^HTTP\/1\.1 200 [\s\S]*"\}(\r\n0\r\n\r\n)?$/);
    expect(got().length).toBeGreaterThan(hugeReply.length);
  });

  test("a reply that is being written goes out, HTTP/2", async () => {
    const session = connectHttp2(running.url, { ca: authority.certPem });
    const headers = {
      ":method": "POST",
      ":path": "/omnisearch.Operator/Identity",
      "content-type": "application/json",
    };
    const stream = session.request(headers);
    stream.end("{}");
    await once(stream, "response");
    const closed = running.server.close({ graceMs: longGraceMs });
    await sleep(afterLingerMs);
    let bytes = 0;
    for await (const chunk of stream) bytes += chunk.length;
    expect(bytes).toBe(JSON.stringify({ name: hugeReply }).length);
    await closed;
  });

  test.each([
    [0, 0, 1_000],
    [600, 300, 1_000],
    [2_500, 1_500, 2_500],
  ])("of a grace of %i ms a call has %i, and all is over within %i", async (graceMs, callsMs, mostMs) => {
    const { socket } = await open(1);
    socket.write(http1Call("Healthy", "{"));
    await sleep(50);
    const calls = trackOpenCalls();
    const startedAt = performance.now();
    let cutOffMs = 0;
    calls.cutOff.addEventListener("abort", () => {
      cutOffMs = performance.now() - startedAt;
    });
    await calls.close(running.server, { graceMs });
    expect(performance.now() - startedAt).toBeLessThan(mostMs);
    // Timers may be a millisecond early.
    expect(cutOffMs).toBeGreaterThanOrEqual(callsMs - 2);
    expect(calls.cutOff.reason.message).toBe(
      `the server stops, and calls in flight had ${callsMs} ms to end (--grace-ms ${graceMs}); call another one`,
    );
  });
});
