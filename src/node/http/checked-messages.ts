import type { DescMethod } from "@bufbuild/protobuf";
import type { UniversalServerRequest } from "@connectrpc/connect/protocol";
import { EmbedError } from "../../errors.ts";
import { toConnectError } from "../../service/to-connect-error.ts";
import { acceptedCompression } from "./accepted-compression.ts";
import type { HeldBytes } from "./inflight-bytes.ts";
import { checkJsonMessage } from "./json-message.ts";
import { readEnvelopes, readWhole } from "./message-reader.ts";
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
  /** Counts the body's bytes already; here it learns how long messages are when they are unpacked. */
  readonly held: HeldBytes;
  /** Called when the first byte of an envelope has come, and its last one. */
  readonly onMessageEdge: () => void;
}

/**
 * The same call with a body whose messages were unpacked and checked before Connect sees them: a small body
 * may unpack to millions of tiny fields, and Connect calls malformed protobuf an internal error. Reading the
 * body throws the ConnectError of `REQUEST_TOO_LARGE` or `REQUEST_INVALID`, which every protocol then tells
 * in its own way.
 */
export function withCheckedMessages(call: StreamedRequest, options: CheckedMessagesOptions): StreamedRequest {
  const { method, readMaxBytes, limits, held, onMessageEdge } = options;
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

  const isClientStream = method.methodKind === "client_streaming" || method.methodKind === "bidi_streaming";
  const lengthHint = Number(call.header.get("content-length"));
  const reader = { check, compression, readMaxBytes, lengthHint, held, isClientStream, onMessageEdge };
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
