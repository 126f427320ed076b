import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";

/** A request of either HTTP version; `"stream" in request` tells HTTP/2. */
export type HttpRequest = IncomingMessage | Http2ServerRequest;
export type HttpResponse = ServerResponse | Http2ServerResponse;

/** Answers a request of either HTTP version. */
export type HttpHandler = (request: HttpRequest, response: HttpResponse) => void;

/** Where the server tells what it cannot tell a client; `fields` may hold an `error`. */
export type HttpLog = (
  level: "info" | "warn" | "error",
  message: string,
  fields: Readonly<Record<string, unknown>>,
) => void;
