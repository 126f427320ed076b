import type { Socket } from "node:net";
import { createServer, type TLSSocket, type TlsOptions } from "node:tls";
import type { HttpLog } from "../http/http-types.ts";
import type { TlsMaterial } from "./tls-files.ts";

export interface TlsHandshakeOptions {
  readonly material: TlsMaterial;
  /** From the TCP connection to the end of the handshake; every byte of it counts, not only silence. */
  readonly timeoutMs: number;
  /** Is told of connections that failed. Strangers cause those, so it should tell few of them. */
  readonly log: HttpLog;
}

export interface TlsHandshake {
  /** Makes a TLS connection of a TCP one and gives it to `onSecure`, or destroys it. */
  accept(tcp: Socket, onSecure: (socket: TLSSocket) => void): void;
  /** Connections that come from now on get this certificate; the others go on. */
  replace(material: TlsMaterial): void;
}

/**
 * The server's side of TLS 1.2 and 1.3 with ALPN, for TCP connections that somebody else accepts. A client
 * that speaks plain text, shows no certificate where one is asked for, or takes too long is closed.
 */
export function createTlsHandshake({ material, timeoutMs, log }: TlsHandshakeOptions): TlsHandshake {
  const server = createServer(toTlsOptions(material));
  /** What to do when it is done, by both ends of the connection: Node does not tell the TCP socket. */
  const underWay = new Map<string, (socket: TLSSocket) => void>();

  server.on("secureConnection", (socket) => {
    const done = underWay.get(endsOf(socket));
    if (done) done(socket);
    else socket.destroy();
  });
  server.on("tlsClientError", (error: NodeJS.ErrnoException, socket) => {
    const peer = socket.remoteAddress;
    socket.destroy();
    // The certificate's own failure comes as a mere hang-up.
    const why = String(socket.authorizationError ?? error.code);
    // Probes of a load balancer connect and leave; that is no news.
    if (why !== "ECONNRESET") log("warn", "a TLS handshake failed", { why, peer });
  });

  return {
    accept(tcp, onSecure) {
      const ends = endsOf(tcp);
      const timer = setTimeout(() => {
        const peer = tcp.remoteAddress;
        log("warn", "a TLS handshake failed", { why: `not done within ${timeoutMs} ms`, peer });
        tcp.destroy();
      }, timeoutMs);
      const stop = () => {
        clearTimeout(timer);
        underWay.delete(ends);
      };
      underWay.set(ends, (socket) => {
        stop();
        tcp.off("close", stop);
        onSecure(socket);
      });
      tcp.once("close", stop);
      // Otherwise a probe that connects and leaves is kept until the time is over.
      tcp.allowHalfOpen = false;
      server.emit("connection", tcp);
    },
    replace(next) {
      server.setSecureContext(toTlsOptions(next));
    },
  };
}

function toTlsOptions({ cert, key, clientCa }: TlsMaterial): TlsOptions {
  return {
    cert,
    key,
    // RFC 7301. A client that offers neither is refused, one that offers nothing gets HTTP/1.1.
    ALPNProtocols: ["h2", "http/1.1"],
    minVersion: "TLSv1.2",
    // With this OpenSSL itself refuses a client without a certificate, so that it can resume no session either.
    ...(clientCa !== undefined && { ca: clientCa, requestCert: true, rejectUnauthorized: true }),
  };
}

function endsOf(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort} ${socket.localAddress} ${socket.localPort}`;
}
