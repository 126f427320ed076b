import { connect } from "node:net";
import { hostPort } from "./host-port.ts";

/** Where a server listens, and how. */
export interface ReadinessAddress {
  readonly host: string;
  readonly port: number;
  /** Whether the port speaks TLS. Its certificate is not checked: it is for clients' names, and nothing secret is sent. */
  readonly tls: boolean;
}

/** What `/readyz` says, in one line. */
export interface Readiness {
  readonly isReady: boolean;
  /** It asked for a client's certificate, and said no more: it lives, and nothing else is known. */
  readonly isClosedToStrangers: boolean;
  readonly text: string;
}

/** What OpenSSL hears of a server that wants a certificate of its clients (RFC 8446, section 6). */
const certificateRequired = "ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED";

/** More than the answer of `/readyz` has. */
const answerMaxBytes = 4096;

/**
 * Asks `/readyz` of a server of Portico. Written on a bare socket, since loading `node:http` takes as long as all the rest.
 * Never rejects: whatever goes wrong is an answer.
 * @param timeoutMs for all of it
 */
export async function askReadiness(address: ReadinessAddress, timeoutMs: number): Promise<Readiness> {
  const { host, port } = address;
  const socket = address.tls
    ? (await import("node:tls")).connect({ host, port, rejectUnauthorized: false })
    : connect({ host, port });
  const where = `${address.tls ? "https" : "http"}://${hostPort(host, port)}/readyz`;
  const notReady = (why: string) => ({
    isReady: false,
    isClosedToStrangers: why === certificateRequired,
    text: `${where}: ${why}`,
  });
  try {
    return await new Promise<Readiness>((resolve) => {
      const timer = setTimeout(() => resolve(notReady(`no answer within ${timeoutMs} ms`)), timeoutMs);
      let answer = "";
      socket.setEncoding("latin1");
      socket.on(address.tls ? "secureConnect" : "connect", () => {
        // In HTTP/1.0 an answer has no chunks and ends with the connection.
        socket.write("GET /readyz HTTP/1.0\r\nHost: localhost\r\n\r\n");
      });
      socket.on("data", (piece: string) => {
        answer += piece;
        if (answer.length > answerMaxBytes) socket.destroy();
      });
      socket.on("error", (error: NodeJS.ErrnoException) => resolve(notReady(error.code ?? error.message)));
      socket.on("close", () => {
        clearTimeout(timer);
        const status = /^HTTP\/1\.\d (\d{3}) /.exec(answer)?.[1];
        const body = answer.split("\r\n\r\n")[1]?.trim().split("\n", 1)[0] ?? "";
        if (status === "200")
          resolve({ isReady: true, isClosedToStrangers: false, text: `${where}: ${body}` });
        else resolve(notReady(status ? `${status} ${body}` : "closed without an answer of HTTP"));
      });
    });
  } finally {
    socket.destroy();
  }
}
