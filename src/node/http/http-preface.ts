import type { Socket } from "node:net";

/** The first bytes of every HTTP/2 connection (RFC 9113, section 3.4). No HTTP/1.1 request begins so. */
const http2Preface: Uint8Array = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");

/**
 * Tells the HTTP version of a new connection by its first bytes, which are put back. Reads until the preface
 * is complete or a byte differs; a connection that ends, fails or stays silent for `timeoutMs` before that
 * is destroyed and `found` is never called.
 */
export function sniffHttpVersion(socket: Socket, timeoutMs: number, found: (version: 1 | 2) => void): void {
  let head = Buffer.alloc(0);
  const giveUp = () => {
    stop();
    socket.destroy();
  };
  const timer = setTimeout(giveUp, timeoutMs);

  function stop(): void {
    clearTimeout(timer);
    socket.off("readable", onReadable);
    socket.off("end", giveUp);
    socket.off("close", stop);
    socket.off("error", giveUp);
  }

  function onReadable(): void {
    const chunk = socket.read() as Buffer | null;
    if (chunk === null) return;
    head = Buffer.concat([head, chunk]);
    const seen = Math.min(head.length, http2Preface.length);
    const matches = head.subarray(0, seen).equals(http2Preface.subarray(0, seen));
    if (matches && seen < http2Preface.length) return;
    stop();
    socket.unshift(head);
    found(matches ? 2 : 1);
  }

  socket.on("readable", onReadable);
  socket.on("end", giveUp);
  socket.on("close", stop);
  socket.on("error", giveUp);
}
