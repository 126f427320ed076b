import type { UniversalServerResponse } from "@connectrpc/connect/protocol";
import { acceptedCompression } from "./accepted-compression.ts";
import { encodeGrpcMessage } from "./grpc-message.ts";
import type { HttpResponse } from "./http-types.ts";

/** Of an envelope: its flags, and four bytes of its length. */
const headBytes = 5;
const compressedFlag = 0x01;
const trailerFlag = 0x80;

/** gRPC's C core takes 8 KiB of headers by default; the rest is for the others. A longer status stays where it was. */
const statusMaxBytes = 7 * 2 ** 10;

/**
 * The same answer; but if a call over gRPC or gRPC-Web fails before its first message, its status is in the headers
 * and there is no body: the form "Trailers-Only" of both protocols. Connect puts the status into the trailers, for
 * gRPC-Web into the body. There a proxy that retries does not look for it, and a gRPC client with a retry policy
 * no longer tries again once it has had headers without a status (gRPC's proposal A6).
 */
export async function toTrailersOnly(answer: UniversalServerResponse): Promise<UniversalServerResponse> {
  const { status, body, header, trailer } = answer;
  const contentType = /^application\/grpc(-web)?($|[+;])/.exec(header?.get("content-type") ?? "");
  if (!body || !header || !contentType) return answer;
  const isWeb = contentType[1] !== undefined;
  const pieces = body[Symbol.asyncIterator]();
  const first = await pieces.next();
  const told = first.done ? trailer : isWeb ? await readTrailerFrame(first.value, header) : undefined;
  if (!told || !isShortError(told) || hasOwnHeaders(header))
    return { ...answer, body: resume(first, pieces) };
  // To its end, which whoever watches the body waits for.
  if (!first.done) await pieces.next();
  const headers = new Headers(header);
  for (const [name, value] of told) headers.append(name, value);
  const message = headers.get("grpc-message");
  if (message !== null) headers.set("grpc-message", encodeGrpcMessage(decodeURIComponent(message)));
  return { status, header: headers };
}

/**
 * Sends an answer without body and trailers. Its headers end the stream, without which they would not be
 * Trailers-Only; after `writeHead` Node ends a stream with a frame of its own.
 */
export function sendHead({ status, header }: UniversalServerResponse, response: HttpResponse): void {
  response.statusCode = status;
  for (const [name, value] of header ?? []) response.setHeader(name, value);
  response.end();
}

/** A call's own headers would be trailers to a client: grpc-go takes all of such an answer for those. */
function hasOwnHeaders(header: Headers): boolean {
  const ofProtocol = ["content-type", "grpc-encoding", "grpc-accept-encoding"];
  return [...header.keys()].some((name) => !ofProtocol.includes(name));
}

function isShortError(status: Headers): boolean {
  const code = status.get("grpc-status");
  const bytes = [...status].reduce((sum, [name, value]) => sum + name.length + value.length, 0);
  return code !== null && code !== "0" && bytes <= statusMaxBytes;
}

/** The trailers in a body of gRPC-Web, if that is what its first envelope holds. */
async function readTrailerFrame(envelope: Uint8Array, header: Headers): Promise<Headers | undefined> {
  const flags = envelope[0] ?? 0;
  if ((flags & trailerFlag) === 0) return undefined;
  const content = envelope.subarray(headBytes);
  const compression = acceptedCompression.find(({ name }) => name === header.get("grpc-encoding"));
  const isPacked = (flags & compressedFlag) !== 0 && compression !== undefined;
  // Our own bytes: no limit is needed.
  const bytes = isPacked ? await compression.decompress(content, Number.MAX_SAFE_INTEGER) : content;
  const lines = new TextDecoder().decode(bytes).split("\r\n");
  return new Headers(lines.filter(Boolean).map((line) => splitAt(line, line.indexOf(":"))));
}

function splitAt(line: string, colon: number): [name: string, value: string] {
  return [line.slice(0, colon), line.slice(colon + 1).trim()];
}

/** What has been read, and the rest. */
async function* resume(
  first: IteratorResult<Uint8Array>,
  rest: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  try {
    for (let piece = first; !piece.done; piece = await rest.next()) yield piece.value;
  } finally {
    await rest.return?.();
  }
}
