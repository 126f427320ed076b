import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

export interface RawAnswer {
  /** Everything that the server sent, one character per byte. */
  readonly text: string;
  /** Whether the server closed or reset the connection. */
  readonly closed: boolean;
}

/** How long a connection that should stay open is watched after its answer. */
const stayOpenMs = 50;

/** Between two of these, what has come is read: a process that stood still for long has not listened for long. */
const turnMs = 10;

/**
 * Sends `parts` as they are, one packet each, and listens until the server closes, or for `listenMs`, or until
 * the answer is what the caller waits for.
 */
export async function sendRaw(
  port: number,
  parts: readonly (string | Uint8Array)[],
  listenMs = 300,
  isEnough: (text: string) => boolean = () => false,
): Promise<RawAnswer> {
  const socket = connect({ host: "127.0.0.1", port, noDelay: true, allowHalfOpen: true });
  let text = "";
  let closed = false;
  const ended = new Promise<void>((resolve) => {
    const onEnd = () => {
      closed = true;
      resolve();
    };
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
      if (isEnough(text)) setTimeout(resolve, stayOpenMs);
    });
    socket.on("end", onEnd);
    socket.on("close", onEnd);
    // A reset is one of the answers that a test looks for; "close" follows.
    socket.on("error", onEnd);
  });
  for (const part of parts) {
    if (!socket.destroyed) socket.write(typeof part === "string" ? Buffer.from(part, "latin1") : part);
    await sleep(10);
  }
  let isOver = false;
  void ended.then(() => {
    isOver = true;
  });
  for (let listened = 0; listened < listenMs && !isOver; listened += turnMs) {
    await Promise.race([ended, sleep(turnMs)]);
  }
  socket.destroy();
  return { text, closed };
}

/** One HTTP/2 frame (RFC 9113, section 4.1). */
export function http2Frame(type: number, flags: number, stream: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** A HEADERS frame that ends its header block; every field a literal without indexing (RFC 7541, 6.2.2). */
export function http2Headers(
  stream: number,
  fields: readonly (readonly [string, string])[],
  ends: boolean,
): Buffer {
  const text = (value: string) => Buffer.concat([Buffer.from([value.length]), Buffer.from(value, "latin1")]);
  const block = fields.flatMap(([name, value]) => [Buffer.from([0]), text(name), text(value)]);
  return http2Frame(1, ends ? 5 : 4, stream, Buffer.concat(block));
}

/** What a client sends first: preface and empty settings. */
export const http2Hello = Buffer.concat([
  Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1"),
  http2Frame(4, 0, 0, Buffer.alloc(0)),
]);

/** The frames in an answer. */
export function parseHttp2Frames(text: string): { type: number; stream: number; payload: Buffer }[] {
  const bytes = Buffer.from(text, "latin1");
  const frames = [];
  for (let at = 0; at + 9 <= bytes.length; ) {
    const length = bytes.readUIntBE(at, 3);
    const payload = bytes.subarray(at + 9, at + 9 + length);
    frames.push({ type: bytes.readUInt8(at + 3), stream: bytes.readUInt32BE(at + 5), payload });
    at += 9 + length;
  }
  return frames;
}
