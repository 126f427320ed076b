import { once } from "node:events";
import { type ClientHttp2Session, connect as connectHttp2, type SessionOptions } from "node:http2";
import { connect as connectTcp, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { connect as connectTls } from "node:tls";
import { expect } from "vitest";
import { Operator } from "../src/gen/omnisearch/operator_pb.ts";
import { EmbeddingService } from "../src/gen/portico/v1/embedding_pb.ts";
import { checkTlsTexts } from "../src/node/access/tls-files.ts";
import type { HttpLimits } from "../src/node/http/http-limits.ts";
import { http2Headers } from "./raw-http.ts";
import { startTestServer } from "./start-test-server.ts";
import { createTestAuthority } from "./test-certificates.ts";

/** A server with little patience, and clients that try it. */

const authority = createTestAuthority();
const { certPem: cert, keyPem: key } = authority.issue("localhost", ["127.0.0.1"]);

/** Small, so that the tests are quick; every one of them is far below the time that a test waits. */
export const limits = {
  prefaceTimeoutMs: 300,
  headersTimeoutMs: 300,
  requestTimeoutMs: 1_000,
  keepAliveTimeoutMs: 200,
  sessionIdleTimeoutMs: 300,
  goodbyeTimeoutMs: 100,
  replyStallTimeoutMs: 500,
} satisfies Partial<HttpLimits>;

/** Larger than what the two sockets' buffers hold. */
export const hugeReply = "x".repeat(24 * 2 ** 20);

const routes: Parameters<typeof startTestServer>[0] = (router) => {
  router.service(Operator, {
    healthy: () => ({ healthy: "healthy" }),
    identity: () => ({ name: hugeReply }),
    async execute() {
      await sleep(3 * limits.replyStallTimeoutMs);
      return { nums: 7n };
    },
  });
  router.service(EmbeddingService, {
    async *embedStream(requests) {
      for await (const { id } of requests) yield { id };
    },
  });
};

export const kinds = ["plain", "TLS"] as const;
export type Kind = (typeof kinds)[number];

export async function startImpatientServer(kind: Kind) {
  const material = checkTlsTexts({ cert, key }, { certFile: "", keyFile: "" });
  const running = await startTestServer(routes, limits, {}, kind === "TLS" ? material : undefined);
  const { server, port } = running;
  const openHttp2 = (options: SessionOptions = {}): ClientHttp2Session =>
    connectHttp2(running.url, { ca: authority.certPem, ...options });
  return {
    logged: running.logged,
    connections: () => server.connections(),
    close: () => server.close({ graceMs: 0 }),
    openHttp2,
    /** Everything that came from the server is in `got()`; half-open, so that only the server can end it. */
    async open(version: 1 | 2) {
      const socket = await openSocket(kind, port, version === 2 ? "h2" : "http/1.1");
      let received = "";
      socket.on("data", (chunk: Buffer) => {
        received += chunk.toString("latin1");
      });
      return { socket, got: () => received };
    },
    /** A socket from which nothing is read. */
    openUnread: (version: 1 | 2) => openSocket(kind, port, version === 2 ? "h2" : "http/1.1"),
    expectGone: () => expect.poll(() => server.connections()).toBe(0),
    async expectAlive() {
      const session = openHttp2();
      const stream = postJson(session, healthy);
      stream.end("{}");
      const [headers] = await once(stream, "response");
      expect(headers[":status"]).toBe(200);
      session.destroy();
    },
  };
}

export type ImpatientServer = Awaited<ReturnType<typeof startImpatientServer>>;

export const healthy = "/omnisearch.Operator/Healthy";

/** A request whose body is still to be sent. */
export const postJson = (session: ClientHttp2Session, path: string, type = "application/json") =>
  session.request({ ":method": "POST", ":path": path, "content-type": type });

/** The head of a request in HTTP/1.1. */
export const http1Head = (path: string, bodyBytes: number): string =>
  `POST ${path} HTTP/1.1\r\nHost: a\r\ncontent-type: application/json\r\nContent-Length: ${bodyBytes}\r\n\r\n`;

/** The frame that opens the first request of a session, without its body. */
export const http2Head = (path: string): Buffer =>
  http2Headers(
    1,
    [
      [":method", "POST"],
      [":scheme", "http"],
      [":path", path],
      [":authority", "a"],
      ["content-type", "application/json"],
    ],
    false,
  );

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
export async function drip(socket: Socket, parts: readonly (string | Uint8Array)[]): Promise<void> {
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
