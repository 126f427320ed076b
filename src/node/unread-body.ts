import { constants, type Http2ServerRequest } from "node:http2";
import { Code, ConnectError } from "@connectrpc/connect";
import type { HttpRequest, HttpResponse } from "./http-types.ts";

/**
 * The body of a request. Unlike `for await` over the request itself, leaving early does not destroy the
 * request: over HTTP/1.1 that would take the connection away before the answer is written.
 */
export async function* readBody(request: HttpRequest): AsyncGenerator<Uint8Array> {
  try {
    yield* request.iterator({ destroyOnReturn: false });
  } catch (error) {
    // Node has several errors for it, and none is a fault of ours.
    throw new ConnectError(
      "the client left before its request was complete",
      Code.Canceled,
      undefined,
      [],
      error,
    );
  }
}

export interface DiscardLimits {
  readonly discardMaxBytes: number;
  readonly discardTimeoutMs: number;
}

/**
 * Call this when the answer is known, before it is written. A handler that refuses a request leaves the rest
 * of its body unread, and then nothing behind it on the connection would ever be read.
 *
 * HTTP/1.1: what is left is read and thrown away, since many clients read no answer before they have sent
 * everything, and closing a connection with unread bytes resets it. Beyond the limits, the answer goes out
 * with `connection: close`.
 *
 * HTTP/2: the answer goes out at once, then the stream is reset with NO_ERROR, as RFC 9113, section 8.1 says.
 */
export async function discardUnreadBody(
  request: HttpRequest,
  response: HttpResponse,
  limits: DiscardLimits,
): Promise<void> {
  if (request.readableEnded || request.destroyed) return;
  if ("stream" in request) {
    resetAfterAnswer(request);
    return;
  }
  stopReading(request);
  const complete = await discard(request, limits);
  if (!complete && !response.headersSent) response.setHeader("connection", "close");
}

/** An abandoned iterator may still listen, and a stream with such a listener does not flow. */
function stopReading(request: HttpRequest): void {
  request.removeAllListeners("readable");
}

/** Whether the body ended within the limits. */
function discard(request: HttpRequest, limits: DiscardLimits): Promise<boolean> {
  return new Promise((resolve) => {
    let bytes = 0;
    const settle = (complete: boolean) => {
      clearTimeout(timer);
      request.off("data", onData);
      request.off("end", onEnd);
      request.off("close", onClose);
      request.pause();
      resolve(complete);
    };
    const onData = (chunk: Uint8Array) => {
      bytes += chunk.length;
      if (bytes > limits.discardMaxBytes) settle(false);
    };
    const onEnd = () => settle(true);
    const onClose = () => settle(false);
    const timer = setTimeout(onClose, limits.discardTimeoutMs);
    request.on("end", onEnd);
    request.on("close", onClose);
    request.on("data", onData);
    request.resume();
  });
}

/** A stream whose last frame is never acknowledged with a window would otherwise stay open for ever. */
const endOfStreamWaitMs = 1_000;

function resetAfterAnswer(request: Http2ServerRequest): void {
  const { stream } = request;
  const reset = () => {
    if (!stream.closed) stream.close(constants.NGHTTP2_NO_ERROR);
  };
  // Only now: a call that streams both ways is read while it is answered.
  stream.once("wantTrailers", () => {
    dropIncoming(stream);
    // The answer's last frame is queued in this event; a reset in the same turn would overtake it.
    setImmediate(reset);
  });
  // An answer without a body has no such event.
  stream.once("finish", () => {
    dropIncoming(stream);
    const timer = setTimeout(reset, endOfStreamWaitMs);
    stream.once("close", () => clearTimeout(timer));
  });
}

/**
 * Throws away what is or gets buffered. Resuming the request would not do: once it is closed it takes nothing
 * more from its stream, which Node then pauses for ever, and its session with it.
 */
function dropIncoming(stream: Http2ServerRequest["stream"]): void {
  stream.removeAllListeners("data");
  stream.resume();
}
