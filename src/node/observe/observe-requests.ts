import { constants } from "node:http2";
import type { DescMethod } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import type { UniversalServerResponse } from "@connectrpc/connect/protocol";
import type { HttpHandler, HttpRequest, HttpResponse } from "../http/http-types.ts";
import { knownPath } from "../http/known-path.ts";
import { onReplyBytes } from "../http/reply-bytes.ts";
import { codeName, protocolOf, watchAnswer } from "./answer-code.ts";
import { chooseRequestId, requestIdHeader } from "./request-id.ts";
import { currentRequest, type RequestRecord, runForRequest } from "./request-record.ts";
import { readTraceContext } from "./trace-context.ts";

/** Told of every HTTP request; what it throws would be ours to mend, so it must not. */
export interface RequestObserver {
  readonly onStart?: (record: RequestRecord) => void;
  /** Once, when the answer has ended or its client has left. */
  readonly onEnd: (record: RequestRecord) => void;
}

/**
 * The one place where every request passes, whatever becomes of it: calls of all protocols, streams, pages,
 * unknown paths, what is refused before a handler runs, and clients that leave. Only what Node refuses before
 * there is a request (broken HTTP, over-long headers) is not seen.
 */
export function observeRequests(handler: HttpHandler, observers: readonly RequestObserver[]): HttpHandler {
  return (request, response) => {
    const record = openRecord(request);
    response.setHeader(requestIdHeader, record.requestId);
    onReplyBytes(response, (bytes) => {
      record.bytesOut += bytes;
    });
    const start = performance.now();
    for (const observer of observers) observer.onStart?.(record);
    const end = () => {
      record.ms = performance.now() - start;
      completeRecord(record, response);
      for (const observer of observers) observer.onEnd(record);
    };
    // A stream that was reset before its turn came has told its end already, and nobody waits for an answer.
    if ("stream" in request && request.stream.closed) {
      end();
      return;
    }
    // Of an HTTP/2 response, `finish` tells nothing that `close` does not.
    response.once("close", end);
    runForRequest(record, () => handler(request, response));
  };
}

/** Notes on the current request which method it calls; counts the bytes of its body. */
export function watchCall(
  method: DescMethod,
  httpMethod: string | undefined,
  body: AsyncIterable<Uint8Array>,
): AsyncIterable<Uint8Array> {
  const record = currentRequest();
  if (!record) return body;
  record.method = `${method.parent.typeName}/${method.name}`;
  if (httpMethod === "GET") record.protocol = "connect";
  return countBytes(body, record);
}

/** Notes on the current request what its client is told. */
export function watchReply(answer: UniversalServerResponse): UniversalServerResponse {
  const record = currentRequest();
  if (!record) return answer;
  return watchAnswer(answer, record.protocol ?? "connect", (code) => {
    if (!record.isOver) record.code = code;
  });
}

/** Notes on the current request that it failed for a reason of our own. */
export function noteInternalFailure(): void {
  const record = currentRequest();
  if (record && !record.isOver) record.code ??= codeName(Code.Internal);
}

async function* countBytes(
  body: AsyncIterable<Uint8Array>,
  record: RequestRecord,
): AsyncGenerator<Uint8Array> {
  for await (const piece of body) {
    record.bytesIn += piece.length;
    yield piece;
  }
}

function openRecord(request: HttpRequest): RequestRecord {
  const { headers } = request;
  const isHttp2 = "stream" in request;
  return {
    requestId: chooseRequestId(headers[requestIdHeader]),
    trace: readTraceContext(headers.traceparent, headers.tracestate),
    httpVersion: isHttp2 ? "2" : "1.1",
    peer: peerOf(request),
    startedAt: Date.now(),
    method: undefined,
    path: knownPath(request.url),
    protocol: protocolOf(headers["content-type"]),
    code: undefined,
    status: undefined,
    isOver: false,
    ms: 0,
    items: 0,
    bytesIn: 0,
    bytesOut: 0,
    itemTimes: [],
  };
}

function peerOf(request: HttpRequest): string {
  if (!("stream" in request)) return request.socket.remoteAddress ?? "";
  const { session } = request.stream;
  // Its socket is a proxy that throws once the connection is gone.
  return session && !session.destroyed ? (session.socket.remoteAddress ?? "") : "";
}

/** What only the end shows. */
function completeRecord(record: RequestRecord, response: HttpResponse): void {
  record.isOver = true;
  if (response.headersSent) record.status = response.statusCode;
  if (record.method !== undefined) {
    if (!isWhole(response) && !ownFailures.has(record.code)) record.code = codeName(Code.Canceled);
  } else if (record.protocol) {
    record.code = codeOfRefusal(response);
  }
}

/** What made a call end before its client left; a client with a deadline leaves at the same moment. */
const ownFailures: ReadonlySet<string | undefined> = new Set(
  [Code.DeadlineExceeded, Code.Internal].map(codeName),
);

/** Whether the answer left this process; a handler goes on writing after its client has gone. */
function isWhole(response: HttpResponse): boolean {
  if (!("stream" in response)) return response.writableFinished;
  const { rstCode, writableFinished } = response.stream;
  return response.writableEnded && (writableFinished || rstCode === constants.NGHTTP2_NO_ERROR);
}

/** The code of an answer that no RPC made: an unknown method's. A request without a usable Host has none. */
function codeOfRefusal(response: HttpResponse): string | undefined {
  const status = response.getHeader("grpc-status");
  if (status !== undefined) return codeName(Number(status));
  return response.statusCode === 404 ? codeName(Code.Unimplemented) : undefined;
}
