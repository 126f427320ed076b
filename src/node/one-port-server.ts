import { createServer as createHttp1Server, type ServerResponse } from "node:http";
import { createServer as createHttp2Server, type Http2Session, type ServerHttp2Session } from "node:http2";
import type { AddressInfo, Socket } from "node:net";
import { defaultHttpLimits, type HttpLimits } from "./http-limits.ts";
import { sniffHttpVersion } from "./http-preface.ts";
import type { HttpHandler, HttpLog, HttpRequest, HttpResponse } from "./http-types.ts";
import type { ListenAddress } from "./listen-address.ts";
import { toListenError } from "./listen-error.ts";

export interface OnePortServerOptions {
  readonly handler: HttpHandler;
  readonly log: HttpLog;
  readonly limits?: Partial<HttpLimits>;
}

/** What a server listens on. */
export interface BoundAddress {
  readonly host: string;
  readonly port: number;
}

export interface OnePortServer {
  /**
   * Resolves to the address in use once connections are taken. Port 0 asks the system for a free one.
   * @throws EmbedError `CONFIG_INVALID`: the address is taken, forbidden or not of this machine
   */
  listen(address: ListenAddress): Promise<BoundAddress>;
  /** Open connections of either HTTP version. */
  connections(): number;
  /**
   * Takes no more connections, tells idle clients to go, lets requests in flight end for `graceMs` at most,
   * then destroys what is left. May be called again, for example with a shorter grace.
   */
  close(options: { readonly graceMs: number }): Promise<void>;
}

/**
 * One TCP port for HTTP/1.1 and for HTTP/2 with prior knowledge. The HTTP/1.1 server listens, so that Node's
 * own header and request timeouts hold; its connections are looked at before either server gets them.
 */
export function createOnePortServer(options: OnePortServerOptions): OnePortServer {
  const limits = { ...defaultHttpLimits, ...options.limits };
  const { handler, log } = options;
  /** Open connections; the version is 0 until it is known. */
  const sockets = new Map<Socket, 0 | 1 | 2>();
  /** Sessions and their number of open streams. */
  const sessions = new Map<Http2Session, number>();
  const http1Responses = new Set<ServerResponse>();
  let closing = false;
  let isFull = false;

  const http1 = createHttp1Server({
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    connectionsCheckingInterval: Math.min(limits.headersTimeoutMs, 5_000),
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    maxHeaderSize: limits.headersMaxBytes,
    noDelay: true,
    // Finds peers that vanished without a word.
    keepAlive: true,
    keepAliveInitialDelay: 60_000,
  });
  // Node's own clientError handling (400, 408 or 431, then close) is what a server wants: no listener.
  http1.maxConnections = limits.maxConnections;
  const toHttp1 = http1.listeners("connection");
  http1.removeAllListeners("connection");

  const http2 = createHttp2Server({
    maxSessionMemory: limits.sessionMaxMegabytes,
    settings: {
      maxConcurrentStreams: limits.maxConcurrentStreams,
      initialWindowSize: limits.streamWindowBytes,
      maxHeaderListSize: limits.headersMaxBytes,
    },
  });

  http1.on("connection", (socket: Socket) => {
    sockets.set(socket, 0);
    socket.once("close", () => {
      sockets.delete(socket);
      if (sockets.size <= limits.maxConnections / 2) isFull = false;
    });
    socket.setNoDelay(true);
    sniffHttpVersion(socket, limits.prefaceTimeoutMs, (version) => {
      sockets.set(socket, version);
      if (version === 1) {
        for (const listener of toHttp1) listener.call(http1, socket);
        return;
      }
      // Only HTTP/1.1 knows half-open connections; a session whose client went would stay for ever.
      socket.allowHalfOpen = false;
      http2.emit("connection", socket);
    });
  });
  http1.on("drop", () => {
    if (!isFull)
      log("warn", "connections are refused: the limit is reached", { maxConnections: limits.maxConnections });
    isFull = true;
  });

  http2.on("session", (session: ServerHttp2Session) => {
    sessions.set(session, 0);
    session.once("close", () => sessions.delete(session));
    session.setLocalWindowSize(limits.sessionWindowBytes);
    session.setTimeout(limits.sessionIdleTimeoutMs);
    session.on("timeout", () => {
      // A stream may be silent for long: a health watch speaks only when something changes.
      if (sessions.get(session) === 0) session.close();
    });
  });
  http2.on("stream", (stream) => {
    const session = stream.session;
    if (session === undefined) return;
    sessions.set(session, (sessions.get(session) ?? 0) + 1);
    stream.once("close", () => {
      const open = sessions.get(session);
      if (open !== undefined) sessions.set(session, open - 1);
    });
  });
  // A peer's protocol error ends its own session and nothing else. gRPC's Go client makes one with every
  // goodbye (a GOAWAY whose stream id nghttp2 refuses), so it is told only where a call was lost.
  http2.on("sessionError", (error, session) => {
    if (sessions.get(session)) log("warn", "an HTTP/2 session failed with calls in flight", { error });
  });

  function onRequest(request: HttpRequest, response: HttpResponse): void {
    if (!("stream" in response)) {
      http1Responses.add(response);
      if (closing) response.setHeader("connection", "close");
      response.once("close", () => {
        http1Responses.delete(response);
        // The connection becomes idle only after this event.
        if (closing) setImmediate(() => http1.closeIdleConnections());
      });
    }
    handler(request, response);
  }
  http1.on("request", onRequest);
  http2.on("request", onRequest);

  return {
    listen(address) {
      return new Promise((resolve, reject) => {
        const fail = (error: unknown) => reject(toListenError(error, address));
        http1.once("error", fail);
        try {
          http1.listen(address, () => {
            http1.off("error", fail);
            // Accepting may fail later, for example when file descriptors run out; the server goes on.
            http1.on("error", (error) => log("error", "the listening socket failed", { error }));
            const bound = http1.address() as AddressInfo;
            resolve({ host: bound.address, port: bound.port });
          });
        } catch (error) {
          fail(error);
        }
      });
    },
    connections: () => sockets.size,
    async close({ graceMs }) {
      closing = true;
      const timer = setTimeout(() => {
        for (const socket of sockets.keys()) socket.destroy();
      }, graceMs);
      const closed = new Promise((resolve) => http1.close(resolve));
      for (const response of http1Responses) {
        if (!response.headersSent) response.setHeader("connection", "close");
      }
      for (const session of sessions.keys()) session.close();
      for (const [socket, version] of sockets) if (version === 0) socket.destroy();
      await closed;
      clearTimeout(timer);
    },
  };
}
