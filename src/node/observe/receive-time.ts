import { constants } from "node:http2";
import type { DescMethod } from "@bufbuild/protobuf";
import type { HttpRequest } from "../http/http-types.ts";

/** A body whose time is limited. */
export interface LimitedBody {
  readonly body: AsyncIterable<Uint8Array>;
  /** To be called by who reads it, of a stream of messages: one begins or has ended in the last chunk. */
  readonly onMessageEdge: () => void;
}

/**
 * Limits how long the body of a call may take to arrive. Node's own request timeout knows HTTP/1.1 only. Over
 * HTTP/2 a client that sends one message has as long. One that streams has as long for each message, from its
 * first byte to its last, and for the silence between two of them. Beyond it the stream is reset, which ends
 * the body.
 */
export function limitReceiveTime(
  request: HttpRequest,
  { methodKind }: DescMethod,
  body: AsyncIterable<Uint8Array>,
  timeoutMs: number,
): LimitedBody {
  const whole = { body, onMessageEdge: () => undefined };
  if (!("stream" in request)) return whole;
  const { stream } = request;
  const reset = () => stream.close(constants.NGHTTP2_CANCEL);
  if (methodKind === "bidi_streaming" || methodKind === "client_streaming") {
    return limitEachMessage(body, timeoutMs, reset);
  }
  // The close of such a stream has been told already, and would never clear the timer.
  if (stream.closed) return whole;
  const timer = setTimeout(reset, timeoutMs);
  request.once("end", () => clearTimeout(timer));
  stream.once("close", () => clearTimeout(timer));
  return whole;
}

/** Time in which nobody asks for more does not count: then it is the client that waits. */
function limitEachMessage(
  body: AsyncIterable<Uint8Array>,
  timeoutMs: number,
  onTimeout: () => void,
): LimitedBody {
  let leftMs = timeoutMs;

  async function* limited(): AsyncGenerator<Uint8Array> {
    let askedAt = performance.now();
    let timer = setTimeout(onTimeout, leftMs);
    try {
      for await (const chunk of body) {
        clearTimeout(timer);
        leftMs = Math.max(0, leftMs - (performance.now() - askedAt));
        // Who reads it tells of its edges before the next chunk is asked for.
        yield chunk;
        askedAt = performance.now();
        timer = setTimeout(onTimeout, leftMs);
      }
    } finally {
      clearTimeout(timer);
    }
  }

  const onMessageEdge = () => {
    leftMs = timeoutMs;
  };
  return { body: limited(), onMessageEdge };
}
