import type { ServerResponse } from "node:http";
import { constants, type Http2ServerRequest } from "node:http2";
import { Code, ConnectError } from "@connectrpc/connect";
import type { HttpRequest, HttpResponse } from "./http-types.ts";

/**
 * The body of a request. Unlike `for await` over the request itself, leaving early does not destroy the
 * request: over HTTP/1.1 that would take the connection away before the answer is written.
 *
 * A client that waits for "100 Continue" (RFC 9110, section 10.1.1) is asked for the body only here, so that
 * it never sends one that is refused after its headers. The server must have left that to its handler.
 */
export async function* readBody(request: HttpRequest, response: HttpResponse): AsyncGenerator<Uint8Array> {
  // The two classes have the same methods, but their overloads do not unite.
  if (awaitsContinue(request)) (response as ServerResponse).writeContinue();
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

/** Whether the client holds its body back until it is asked for it, and was not; HTTP/1.0 does not know it. */
function awaitsContinue({ headers, httpVersion, readableDidRead }: HttpRequest): boolean {
  // Node lets nothing else through that holds it, so there is no need to parse a list.
  return /\b100-continue\b/i.test(headers.expect ?? "") && httpVersion !== "1.0" && !readableDidRead;
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
 * everything, and closing a connection with unread bytes resets it. The answer does not wait for that, but
 * beyond the limits the connection is closed behind it. If it is the last answer anyway (`connection: close`),
 * it does wait, since Node closes the connection with it. A client that waits for "100 Continue" sends
 * nothing: Node answers it with `connection: close`.
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
  if (awaitsContinue(request)) return;
  stopReading(request);
  const discarded = discard(request, limits);
  if (isLastAnswer(response)) await discarded;
  else discarded.then((complete) => complete || closeBehind(request, response));
}

function isLastAnswer(response: HttpResponse): boolean {
  return !("shouldKeepAlive" in response && response.shouldKeepAlive) || response.hasHeader("connection");
}

/** Closes the connection when the answer is sent, which it mostly is. */
function closeBehind(request: HttpRequest, response: HttpResponse): void {
  if (!response.headersSent) response.setHeader("connection", "close");
  else if (response.writableFinished) request.socket.destroy();
  else response.once("finish", () => request.socket.destroy());
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
