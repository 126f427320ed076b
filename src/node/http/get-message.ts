import { base64Decode } from "@bufbuild/protobuf/wire";
import { EmbedError } from "../../errors.ts";
import { toConnectError } from "../../service/to-connect-error.ts";
import type { StreamedRequest } from "./checked-messages.ts";

/**
 * A Connect GET as the POST of the same call, so that its message, which lies in the URL, goes the way of all
 * others. Connect itself calls a URL that is no base64, and malformed protobuf in it, an internal error.
 * What is no such GET is handed back as it came.
 * https://connectrpc.com/docs/protocol/#unary-get-request
 */
export function postFromGet(call: StreamedRequest): StreamedRequest {
  const query = new URL(call.url).searchParams;
  const codec = query.get("encoding");
  if (call.method !== "GET" || (codec !== "proto" && codec !== "json")) return call;
  const header = new Headers(call.header);
  header.set("content-type", `application/${codec}`);
  header.set("content-encoding", query.get("compression") ?? "identity");
  header.delete("content-length");
  return { ...call, method: "POST", header, body: readMessage(query) };
}

/** Throws while it is read, when Connect knows how to tell it. */
async function* readMessage(query: URLSearchParams): AsyncGenerator<Uint8Array> {
  const text = query.get("message") ?? "";
  yield query.get("base64") === "1" ? decode(text) : new TextEncoder().encode(text);
}

function decode(text: string): Uint8Array {
  try {
    return base64Decode(text);
  } catch (error) {
    const message = `expected base64 in the parameter message of the URL, got ${text.length} characters that are not`;
    throw toConnectError(new EmbedError("REQUEST_INVALID", message, { cause: error }));
  }
}
