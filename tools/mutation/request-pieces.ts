import { http2Frame } from "../raw-http.ts";

/** A request in parts, each of which can be changed while the lengths around it stay right. */
export interface RequestPiece {
  /** What may be changed. */
  readonly payload: Uint8Array;
  /** Bytes on the wire for a payload. */
  readonly write: (payload: Uint8Array) => Uint8Array;
}

const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");
const frameHeadBytes = 9;

export function isHttp2(bytes: Uint8Array): boolean {
  return preface.equals(bytes.subarray(0, preface.length));
}

/** HTTP/2: the frames behind the preface. HTTP/1.1: the head and, if there is one, the body. */
export function splitRequest(request: Uint8Array): readonly RequestPiece[] {
  const bytes = Buffer.from(request.buffer, request.byteOffset, request.length);
  return isHttp2(bytes) ? splitFrames(bytes) : splitHttp1(bytes);
}

function splitFrames(bytes: Buffer): RequestPiece[] {
  return readFrames(bytes).map(({ type, flags, stream, payload }, index) => ({
    payload,
    write: (changed) =>
      Buffer.concat([index === 0 ? preface : Buffer.alloc(0), http2Frame(type, flags, stream, changed)]),
  }));
}

function readFrames(bytes: Buffer) {
  const frames = [];
  for (let at = preface.length; at + frameHeadBytes <= bytes.length; ) {
    const end = at + frameHeadBytes + bytes.readUIntBE(at, 3);
    const [type, flags, stream] = [
      bytes.readUInt8(at + 3),
      bytes.readUInt8(at + 4),
      bytes.readUInt32BE(at + 5),
    ];
    frames.push({ type, flags, stream, payload: bytes.subarray(at + frameHeadBytes, end) });
    at = end;
  }
  return frames;
}

/** SETTINGS, PING, GOAWAY and WINDOW_UPDATE. */
const controlFrames = [4, 6, 7, 8];

/**
 * The same request without the frames with which an HTTP/2 client answers its server: when they are sent is
 * chance. The first frame, its settings, stays.
 */
export function withoutAnswers(bytes: Buffer): Uint8Array {
  if (!isHttp2(bytes)) return bytes;
  const kept = readFrames(bytes).filter(({ type }, index) => index === 0 || !controlFrames.includes(type));
  const frames = kept.map(({ type, flags, stream, payload }) => http2Frame(type, flags, stream, payload));
  return Buffer.concat([preface, ...frames]);
}

function splitHttp1(bytes: Buffer): RequestPiece[] {
  const start = bytes.indexOf("\r\n\r\n") + 4;
  const head = bytes.subarray(0, start).toString("latin1");
  if (/^transfer-encoding: chunked/im.test(head)) {
    const write = (payload: Uint8Array) =>
      Buffer.concat([
        Buffer.from(`${head}${payload.length.toString(16)}\r\n`, "latin1"),
        payload,
        Buffer.from(payload.length === 0 ? "\r\n" : "\r\n0\r\n\r\n"),
      ]);
    return [{ payload: readChunks(bytes.subarray(start)), write }];
  }
  return [{ payload: bytes, write: (payload) => payload }];
}

function readChunks(body: Buffer): Buffer {
  const chunks: Buffer[] = [];
  for (let at = 0; at < body.length; ) {
    const start = body.indexOf("\r\n", at) + 2;
    const length = Number.parseInt(body.subarray(at, start).toString("latin1"), 16);
    chunks.push(body.subarray(start, start + length));
    at = start + length + 2;
  }
  return Buffer.concat(chunks);
}
