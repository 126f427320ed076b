import { constants } from "node:http2";
import type { DescMethod } from "@bufbuild/protobuf";
import type { HttpRequest } from "./http-types.ts";

/**
 * Limits how long the body of a call may take to arrive. Node's own request timeout knows HTTP/1.1 only. Over
 * HTTP/2 a client that sends one message has as long; one that streams may take its time, but may not be
 * silent for longer than that while it is waited for. Beyond it the stream is reset, which ends the body.
 */
export function limitReceiveTime(
  request: HttpRequest,
  { methodKind }: DescMethod,
  body: AsyncIterable<Uint8Array>,
  timeoutMs: number,
): AsyncIterable<Uint8Array> {
  if (!("stream" in request)) return body;
  const { stream } = request;
  const reset = () => stream.close(constants.NGHTTP2_CANCEL);
  if (methodKind === "bidi_streaming" || methodKind === "client_streaming") {
    return limitSilence(body, timeoutMs, reset);
  }
  // The close of such a stream has been told already, and would never clear the timer.
  if (stream.closed) return body;
  const timer = setTimeout(reset, timeoutMs);
  request.once("end", () => clearTimeout(timer));
  stream.once("close", () => clearTimeout(timer));
  return body;
}

/** Time in which nobody asks for more does not count: then it is the client that waits. */
async function* limitSilence(
  body: AsyncIterable<Uint8Array>,
  timeoutMs: number,
  onSilence: () => void,
): AsyncGenerator<Uint8Array> {
  let timer = setTimeout(onSilence, timeoutMs);
  try {
    for await (const chunk of body) {
      clearTimeout(timer);
      yield chunk;
      timer = setTimeout(onSilence, timeoutMs);
    }
  } finally {
    clearTimeout(timer);
  }
}
