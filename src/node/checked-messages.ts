import type { DescMethod } from "@bufbuild/protobuf";
import type { Compression, UniversalServerRequest } from "@connectrpc/connect/protocol";
import { EmbedError } from "../errors.ts";
import { toConnectError } from "../service/to-connect-error.ts";
import { acceptedCompression } from "./accepted-compression.ts";
import { checkJsonMessage } from "./json-message.ts";
import { createMessageBuffer } from "./message-buffer.ts";
import type { MessageShapeLimits } from "./message-shape.ts";
import { checkWireMessage } from "./wire-message.ts";

/** A request whose body was not read yet. */
export interface StreamedRequest extends UniversalServerRequest {
  readonly body: AsyncIterable<Uint8Array>;
}

export interface CheckedMessagesOptions {
  readonly method: DescMethod;
  /** Largest message, unpacked. Connect refuses a longer one, so it passes here as it is. */
  readonly readMaxBytes: number;
  readonly limits: MessageShapeLimits;
}

/**
 * The same call with a body whose messages were unpacked and checked before Connect sees them: a small body
 * may unpack to millions of tiny fields, and Connect calls malformed protobuf an internal error. Reading the
 * body throws the ConnectError of `REQUEST_TOO_LARGE` or `REQUEST_INVALID`, which every protocol then tells
 * in its own way.
 */
export function withCheckedMessages(call: StreamedRequest, options: CheckedMessagesOptions): StreamedRequest {
  const { method, readMaxBytes, limits } = options;
  const contentType = (call.header.get("content-type") ?? "").toLowerCase();
  const framing = framings.find(({ prefix }) => contentType.startsWith(prefix)) ?? unframed;
  const isJson = /[/+]json\b/.test(contentType);
  const encoding = call.header.get(framing.encodingHeader);
  const compression = acceptedCompression.find(({ name }) => name === encoding);

  function check(message: Uint8Array): void {
    try {
      if (isJson) checkJsonMessage(message, limits);
      else checkWireMessage(message, method.input, limits);
    } catch (error) {
      throw toConnectError(EmbedError.from(error));
    }
  }

  const reader = { check, compression, readMaxBytes, lengthHint: Number(call.header.get("content-length")) };
  if (framing.skippedFlag !== undefined) {
    return { ...call, body: readEnvelopes(call.body, framing.skippedFlag, reader) };
  }
  const isUnknown = encoding !== null && encoding !== "identity" && !compression;
  if (isUnknown) return call;
  const header = compression ? unpackedHeader(call.header) : call.header;
  return { ...call, header, body: readWhole(call.body, reader) };
}

/** How a protocol lays messages into a body. */
interface Framing {
  readonly prefix: string;
  readonly encodingHeader: string;
  /** Messages in envelopes, and the flag of one that is none and that Connect skips; 0: it skips none. */
  readonly skippedFlag?: number;
}

const framings: readonly Framing[] = [
  { prefix: "application/grpc-web", encodingHeader: "grpc-encoding", skippedFlag: 0x80 },
  { prefix: "application/grpc", encodingHeader: "grpc-encoding", skippedFlag: 0 },
  { prefix: "application/connect+", encodingHeader: "connect-content-encoding", skippedFlag: 0x02 },
];
const unframed: Framing = { prefix: "", encodingHeader: "content-encoding" };

interface MessageReader {
  readonly check: (message: Uint8Array) => void;
  readonly compression: Compression | undefined;
  readonly readMaxBytes: number;
  readonly lengthHint: number;
}

/** The headers of a body that was compressed and no longer is. */
function unpackedHeader(header: Headers): Headers {
  const unpacked = new Headers(header);
  // A client that does not say what it accepts gets what it sent.
  if (!unpacked.get("accept-encoding")) {
    unpacked.set("accept-encoding", header.get("content-encoding") ?? "");
  }
  unpacked.delete("content-encoding");
  unpacked.delete("content-length");
  return unpacked;
}

/** A body that is one message. */
async function* readWhole(
  body: AsyncIterable<Uint8Array>,
  reader: MessageReader,
): AsyncGenerator<Uint8Array> {
  const { check, compression, readMaxBytes, lengthHint } = reader;
  const buffer = createMessageBuffer();
  let isTooLong = false;
  for await (const chunk of body) {
    isTooLong ||= buffer.length + chunk.length > readMaxBytes;
    if (isTooLong) {
      if (buffer.length > 0) yield buffer.take();
      yield chunk;
    } else {
      buffer.append(chunk, lengthHint || undefined);
    }
  }
  if (isTooLong) return;
  const received = buffer.take();
  const message = compression ? await compression.decompress(received, readMaxBytes) : received;
  check(message);
  yield message;
}

const headBytes = 5;
const compressedFlag = 0x01;

/**
 * A body of envelopes, each as soon as it is complete: one byte of flags, four of length, the message.
 * https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
 */
async function* readEnvelopes(
  body: AsyncIterable<Uint8Array>,
  skippedFlag: number,
  reader: MessageReader,
): AsyncGenerator<Uint8Array> {
  const buffer = createMessageBuffer();
  let isTooLong = false;
  for await (const chunk of body) {
    let rest = chunk;
    while (rest.length > 0 && !isTooLong) {
      const wanted = buffer.length < headBytes ? headBytes : headBytes + messageLength(buffer.bytes());
      const piece = rest.subarray(0, wanted - buffer.length);
      buffer.append(piece, wanted);
      rest = rest.subarray(piece.length);
      if (buffer.length < headBytes) continue;
      const length = messageLength(buffer.bytes());
      if (length > reader.readMaxBytes) {
        isTooLong = true;
        yield buffer.take();
      } else if (buffer.length === headBytes + length) {
        yield* readEnvelope(buffer.take(), skippedFlag, reader);
      }
    }
    if (isTooLong) yield rest;
  }
  // What is incomplete, Connect refuses.
  if (buffer.length > 0) yield buffer.take();
}

/** One complete envelope, its message checked and no longer compressed. */
async function* readEnvelope(
  envelope: Uint8Array,
  skippedFlag: number,
  { check, compression, readMaxBytes }: MessageReader,
): AsyncGenerator<Uint8Array> {
  const flags = envelope[0] ?? 0;
  const isCompressed = (flags & compressedFlag) !== 0;
  const isSkipped = (flags & skippedFlag) !== 0;
  if (isSkipped || (isCompressed && !compression)) {
    yield envelope;
    return;
  }
  const packed = envelope.subarray(headBytes);
  if (!isCompressed || !compression) {
    check(packed);
    yield envelope;
    return;
  }
  const message = await compression.decompress(packed, readMaxBytes);
  check(message);
  const head = new Uint8Array(headBytes);
  head[0] = flags ^ compressedFlag;
  new DataView(head.buffer).setUint32(1, message.length);
  yield head;
  yield message;
}

function messageLength(envelope: Uint8Array): number {
  return new DataView(envelope.buffer, envelope.byteOffset).getUint32(1);
}
