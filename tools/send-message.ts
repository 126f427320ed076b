import { once } from "node:events";
import type { ClientHttp2Session, IncomingHttpHeaders } from "node:http2";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

/** One of the ways in which a client can send a message. */
export interface Call {
  readonly protocol: "grpc" | "grpc-web" | "connect";
  readonly codec: "proto" | "json";
  readonly encoding: "identity" | "gzip" | "br";
}

/** How a call ended: Connect's name of the code, "ok" for none; the message is the error's, or the reply's bytes. */
export interface Outcome {
  readonly code: string;
  readonly message: string;
}

/** All of them. */
export const calls: readonly Call[] = (["grpc", "grpc-web", "connect"] as const).flatMap((protocol) =>
  (["proto", "json"] as const).flatMap((codec) =>
    (["identity", "gzip", "br"] as const).map((encoding) => ({ protocol, codec, encoding })),
  ),
);

const pack = {
  identity: (bytes: Uint8Array) => bytes,
  gzip: (bytes: Uint8Array) => gzipSync(bytes, { level: 1 }),
  br: (bytes: Uint8Array) => brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } }),
};

/** A message as gRPC, gRPC-Web and streams of Connect frame it. */
export function envelope(bytes: Uint8Array, flags = 0): Buffer {
  const head = Buffer.from([flags, 0, 0, 0, 0]);
  head.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
}

/** One request; `pieces` are written one by one, in a frame each. */
export async function post(session: ClientHttp2Session, rpc: string, headers: object, pieces: Uint8Array[]) {
  const stream = session.request({ ":method": "POST", ":path": `/${rpc}`, ...headers });
  let head: IncomingHttpHeaders = {};
  let trailers: IncomingHttpHeaders = {};
  const chunks: Buffer[] = [];
  stream.on("response", (got) => {
    head = got;
  });
  stream.on("trailers", (got) => {
    trailers = got;
  });
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  for (const piece of pieces) stream.write(piece);
  stream.end();
  await once(stream, "close");
  return { head, trailers, body: Buffer.concat(chunks) };
}

/** One call of one message, and how it ended in the protocol's own words. */
export async function send(
  session: ClientHttp2Session,
  rpc: string,
  call: Call,
  message: Uint8Array,
): Promise<Outcome> {
  const { protocol, codec, encoding } = call;
  const packed = pack[encoding](message);
  if (protocol === "connect") {
    const headers = { "content-type": `application/${codec}`, "content-encoding": encoding };
    const { head, body } = await post(session, rpc, headers, [packed]);
    if (Number(head[":status"]) === 200) return { code: "ok", message: body.toString("latin1") };
    return JSON.parse(body.toString());
  }
  const headers = { "content-type": `application/${protocol}+${codec}`, "grpc-encoding": encoding };
  const { head, trailers, body } = await post(session, rpc, headers, [
    envelope(packed, encoding === "identity" ? 0 : 1),
  ]);
  const last = protocol === "grpc" ? { ...head, ...trailers } : { ...head, ...webTrailers(body) };
  const code = codeNames[Number(last["grpc-status"])] ?? String(last["grpc-status"]);
  const reply = body.subarray(5).toString("latin1");
  return { code, message: code === "ok" ? reply : decodeURIComponent(String(last["grpc-message"])) };
}

const codeNames: Readonly<Record<number, string>> = {
  0: "ok",
  3: "invalid_argument",
  8: "resource_exhausted",
  13: "internal",
};

/** The trailers at the end of a gRPC-Web body. */
export function webTrailers(body: Buffer): Record<string, string> {
  let at = 0;
  while (at < body.length && body[at] !== 0x80) at += 5 + body.readUInt32BE(at + 1);
  const lines = body
    .subarray(at + 5)
    .toString()
    .trim()
    .split("\r\n");
  return Object.fromEntries(lines.map((line) => line.split(/: ?(.*)/s)));
}
