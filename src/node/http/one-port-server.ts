import { createServer as createHttp1Server, type IncomingMessage } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import { Server as NetServer, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { TLSSocket } from "node:tls";
import { clientOfAddress, createClientCap } from "../access/client-caps.ts";
import type { TlsMaterial } from "../access/tls-files.ts";
import { createTlsHandshake } from "../access/tls-handshake.ts";
import { createRareLog } from "../observe/rare-log.ts";
import { defaultHttpLimits, type HttpLimits } from "./http-limits.ts";
import { sniffHttpVersion } from "./http-preface.ts";
import type { HttpHandler, HttpLog, HttpRequest, HttpResponse } from "./http-types.ts";
import { trackHttp1Connections } from "./http1-connections.ts";
import { trackHttp2Sessions } from "./http2-sessions.ts";
import type { ListenAddress } from "./listen-address.ts";
import { type BoundAddress, listenOn } from "./listen-on.ts";
import { limitReplyStall } from "./reply-stall.ts";

export interface OnePortServerOptions {
  readonly handler: HttpHandler;
  readonly log: HttpLog;
  readonly limits?: Partial<HttpLimits>;
  /** With it the port speaks TLS and nothing else. */
  readonly tls?: TlsMaterial;
}

export interface OnePortServer {
  /**
   * Resolves to the address in use once connections are taken. Port 0 asks the system for a free one.
   * @throws EmbedError `CONFIG_INVALID`: the address is taken, forbidden or not of this machine
   */
  listen(address: ListenAddress): Promise<BoundAddress>;
  /** Open connections of either HTTP version. */
  connections(): number;
  /** New connections get this certificate; those that are open go on. Only for a server with TLS. */
  replaceTls(material: TlsMaterial): void;
  /**
   * Takes no more connections, tells clients to go, ends connections without a request after a moment (half a
   * request's headers are none), lets requests in flight end, and destroys what is left when `graceMs` are over.
   * May be called again, for example with a shorter grace.
   */
  close(options: { readonly graceMs: number }): Promise<void>;
}

/**
 * One TCP port for HTTP/1.1 and for HTTP/2: with TLS as ALPN says, without it by prior knowledge. The HTTP/1.1
 * server listens, so that Node's own header and request timeouts hold; its connections are looked at, and
 * decrypted, before either server gets them.
 */
export function createOnePortServer(options: OnePortServerOptions): OnePortServer {
  const limits = { ...defaultHttpLimits, ...options.limits };
  const { handler, log } = options;
  const rareLog = createRareLog(log);
  /** Open connections; the version is 0 until it is known. */
  const sockets = new Map<Socket, 0 | 1 | 2>();
  const perClient = createClientCap(limits.maxConnectionsPerClient);
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
  const http1Connections = trackHttp1Connections(http1, limits);

  const http2 = createHttp2Server({
    maxSessionMemory: limits.sessionMaxMegabytes,
    settings: {
      maxConcurrentStreams: limits.maxConcurrentStreams,
      initialWindowSize: limits.streamWindowBytes,
      maxHeaderListSize: limits.headersMaxBytes,
    },
  });

  const tls =
    options.tls &&
    createTlsHandshake({ material: options.tls, timeoutMs: limits.tlsHandshakeTimeoutMs, log: rareLog });

  http1.on("connection", (tcp: Socket) => {
    const client = clientOfAddress(tcp.remoteAddress);
    if (!perClient.enter(client)) {
      const { maxConnectionsPerClient } = limits;
      rareLog("warn", "connections of a client are refused", { client, maxConnectionsPerClient });
      tcp.destroy();
      return;
    }
    sockets.set(tcp, 0);
    tcp.once("close", () => {
      perClient.leave(client);
      sockets.delete(tcp);
      if (sockets.size <= limits.maxConnections / 2) isFull = false;
    });
    tcp.setNoDelay(true);
    if (tls) tls.accept(tcp, (socket) => serve(socket, tcp));
    else serve(tcp, tcp);
  });

  function serve(socket: Socket | TLSSocket, tcp: Socket): void {
    sniffHttpVersion(socket, limits.prefaceTimeoutMs, (sniffed) => {
      // Over TLS the two sides have agreed on it, and HTTP/2 needs that (RFC 9113, section 3.2).
      const version = "alpnProtocol" in socket ? (socket.alpnProtocol === "h2" ? 2 : 1) : sniffed;
      sockets.set(tcp, version);
      if (version === 1) {
        http1Connections.start(socket);
        return;
      }
      sessions.start(socket, tcp);
    });
  }
  http1.on("drop", () => {
    if (!isFull)
      log("warn", "connections are refused: the limit is reached", { maxConnections: limits.maxConnections });
    isFull = true;
  });

  const sessions = trackHttp2Sessions(http2, limits, log);

  function onRequest(request: HttpRequest, response: HttpResponse): void {
    if (!("stream" in response) && !http1Connections.begin(request as IncomingMessage, response)) {
      rareLog("warn", "a client that sent too many requests ahead was cut off", {});
      return;
    }
    limitReplyStall(response, limits.replyStallTimeoutMs, () => {
      const path = request.url?.split("?", 1)[0];
      rareLog("warn", "a client did not read its reply and was cut off", { path });
      if ("stream" in response) sessions.cutOff(response.stream);
      else response.socket?.destroy();
    });
    handler(request, response);
  }
  for (const server of [http1, http2]) {
    server.on("request", onRequest);
    // Whether the body is wanted is for the handler to say, when it has seen the headers.
    server.on("checkContinue", onRequest);
  }

  return {
    listen: (address) => listenOn(http1, address, log),
    connections: () => sockets.size,
    replaceTls(material) {
      tls?.replace(material);
    },
    async close({ graceMs }) {
      const timer = setTimeout(() => {
        for (const socket of sockets.keys()) socket.destroy();
      }, graceMs);
      // Not http1's own close yet: it ends idle connections at once, and a request may be on its way.
      const closed = new Promise((resolve) => NetServer.prototype.close.call(http1, resolve));
      http1Connections.announceClose();
      sessions.announceClose();
      const linger = new AbortController();
      await Promise.race([closed, sleep(limits.closeLingerMs, undefined, linger).catch(() => undefined)]);
      linger.abort();
      http1Connections.closeAll();
      sessions.closeAll();
      for (const [socket, version] of sockets) if (version === 0) socket.destroy();
      http1.close();
      await closed;
      clearTimeout(timer);
    },
  };
}
