import type { ServerResponse } from "node:http";
import { encodeGrpcMessage } from "./grpc-message.ts";
import type { HttpRequest, HttpResponse } from "./http-types.ts";

/** Longest part of a path that an answer repeats. */
const shownPathMaxLength = 200;

/**
 * Answers a request whose path is no RPC, in the language of its client: gRPC and gRPC-Web get a response of
 * trailers only with status 12 (UNIMPLEMENTED), Connect gets that code as JSON with HTTP status 404,
 * a browser gets text.
 */
export function answerUnknownPath(
  request: HttpRequest,
  response: HttpResponse,
  services: readonly string[],
): void {
  const { pathname, isConnectGet } = parseTarget(request.url ?? "");
  const contentType = String(request.headers["content-type"] ?? "").toLowerCase();
  const message = `this server has no method ${pathname}; it has the services ${services.join(", ")}`;

  if (/^application\/grpc(-web(-text)?)?($|[+;])/.test(contentType)) {
    const headers = {
      "content-type": contentType,
      "grpc-status": "12",
      "grpc-message": encodeGrpcMessage(message),
    };
    answer(response, 200, headers);
  } else if (/^application\/(proto|json|connect\+(proto|json))($|;)/.test(contentType) || isConnectGet) {
    const body = JSON.stringify({ code: "unimplemented", message });
    answer(response, 404, { "content-type": "application/json" }, body);
  } else if (pathname !== "/") {
    answerText(request, response, 404, message);
  } else if (request.method !== "GET" && request.method !== "HEAD") {
    response.setHeader("allow", "GET, HEAD");
    answerText(request, response, 405, `expected GET or HEAD for the path /, got ${request.method}`);
  } else {
    answerText(request, response, 200, describePort(services, isEncrypted(request)));
  }
}

/** One answer as plain text, for a client that is not in the middle of a call. */
export function answerText(request: HttpRequest, response: HttpResponse, status: number, text: string): void {
  const headers = { "content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff" };
  answer(response, status, headers, request.method === "HEAD" ? "" : `${text}\n`);
}

function answer(response: HttpResponse, status: number, headers: Record<string, string>, body = ""): void {
  response.statusCode = status;
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  // No writeHead: without a body, the headers must end the stream, or gRPC sees no trailers-only response.
  // The two classes have the same methods, but their overloads do not unite.
  const either = response as ServerResponse;
  if (body === "") either.end();
  else either.end(body);
}

function isEncrypted(request: HttpRequest): boolean {
  // The socket of an HTTP/2 request is a proxy that throws once its session is gone.
  if ("stream" in request) return request.stream.session?.encrypted === true;
  return "encrypted" in request.socket && request.socket.encrypted === true;
}

function describePort(services: readonly string[], isTls: boolean): string {
  const how = isTls
    ? "over HTTP/1.1 and HTTP/2 with TLS"
    : "over HTTP/1.1 and over HTTP/2 with prior knowledge";
  return [
    "Portico: a picture in, its embedding vector out.",
    `This port speaks gRPC, gRPC-Web and Connect, ${how}.`,
    `Services: ${services.join(", ")}`,
    `Try: grpcurl ${isTls ? "-cacert CA.pem" : "-plaintext"} HOST:PORT list`,
  ].join("\n");
}

function parseTarget(target: string): { pathname: string; isConnectGet: boolean } {
  const [path = "", query = ""] = target.split("?", 2);
  const pathname = path.slice(0, shownPathMaxLength);
  return { pathname, isConnectGet: /(^|&)encoding=(proto|json)(&|$)/.test(query) };
}
