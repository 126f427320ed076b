import { subscribe } from "node:diagnostics_channel";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { ServerHttp2Stream } from "node:http2";

/** gRPC's UNKNOWN, INTERNAL and DATA_LOSS: the codes that say that the server is at fault. */
const faultCodes = ["2", "13", "15"];

/**
 * Watches every answer of this process for one that blames the server: HTTP status 500, or such a code of
 * gRPC in headers or trailers. The returned function tells what was seen, each once.
 */
export function watchInternalAnswers(): () => readonly string[] {
  const seen = new Set<string>();
  subscribe("http.server.response.finish", (message) => {
    const { request, response } = message as { request: IncomingMessage; response: ServerResponse };
    if (response.statusCode === 500)
      seen.add(`HTTP/1.1 500 for ${request.method} ${request.headers["content-type"]}`);
  });
  subscribe("http2.server.stream.close", (message) => {
    const { sentHeaders = {}, sentTrailers = {} } = (message as { stream: ServerHttp2Stream }).stream;
    if (sentHeaders[":status"] === 500) seen.add("HTTP/2 500");
    const { "grpc-status": status, "grpc-message": text } = { ...sentHeaders, ...sentTrailers };
    if (faultCodes.includes(String(status))) seen.add(`grpc-status ${status}: ${text}`);
  });
  return () => [...seen];
}

/**
 * Answers that blame the server although the client is at fault, since the official conformance suite wants
 * them: its case unexpected-compressed-message, in all three protocols.
 */
const accounted: readonly RegExp[] = [/received compressed envelope, but do not know how to decompress/];

/** Of these answers, those that should have blamed the client. */
export function unaccountedAnswers(answers: readonly string[]): readonly string[] {
  return answers.filter((answer) => !accounted.some((pattern) => pattern.test(answer)));
}
