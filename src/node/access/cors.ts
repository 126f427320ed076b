import type { ServerResponse } from "node:http";
import { cors } from "@connectrpc/connect";
import { EmbedError } from "../../errors.ts";
import { defaultHttpLimits } from "../http/http-limits.ts";
import type { HttpHandler, HttpRequest, HttpResponse } from "../http/http-types.ts";
import { answerText } from "../http/unknown-path.ts";
import { discardUnreadBody } from "../http/unread-body.ts";

/** The origins whose scripts may call this server; `"*"` stands for all. */
export type CorsOrigins = "*" | ReadonlySet<string>;

/** How long a browser may remember a preflight's answer. Chromium keeps none for longer than two hours. */
const preflightMaxAgeS = 7_200;

/** Request headers that a script may send. `authorization` must be named: `*` does not cover it. */
const allowedHeaders = [
  ...cors.allowedHeaders,
  "Authorization",
  "Traceparent",
  "Tracestate",
  "X-Request-Id",
].join(", ");

/** Reply headers that a script may read beside the few that are always readable. */
const exposedHeaders = [
  ...cors.exposedHeaders,
  "Portico-Model",
  "Portico-Vector-Space",
  "X-Request-Id",
  "Retry-After",
  "Grpc-Retry-Pushback-Ms",
  "WWW-Authenticate",
].join(", ");

const allowedMethods = cors.allowedMethods.join(", ");

/**
 * Reads the list of `--cors-origins`. Browsers send an origin in exactly one spelling, so that another one
 * would never match: it is refused, with the right one if that can be told.
 * @throws EmbedError `CONFIG_INVALID`: no list of origins, or `*` beside others
 */
export function parseCorsOrigins(list: readonly string[]): CorsOrigins {
  const flag = "--cors-origins";
  if (list.length === 0) {
    throw new EmbedError("CONFIG_INVALID", `${flag}: expected at least one origin, or *, got none`);
  }
  if (list.includes("*")) {
    if (list.every((origin) => origin === "*")) return "*";
    throw new EmbedError("CONFIG_INVALID", `${flag}: expected * alone, got it beside other origins`);
  }
  for (const origin of list) {
    const right = spellOrigin(origin);
    const hasStar = origin.includes("*");
    if (right === origin && !hasStar) continue;
    const spelling = right === undefined ? "" : `; browsers spell it ${right}`;
    const hint = hasStar ? "; a * stands only for all origins" : spelling;
    const expected = `expected origins SCHEME://HOST[:PORT] as browsers send them, or *`;
    throw new EmbedError("CONFIG_INVALID", `${flag}: ${expected}, got "${origin}"${hint}`);
  }
  return new Set(list);
}

/** The one spelling of an origin: lower case, without path and default port (RFC 6454, section 6.2). */
function spellOrigin(text: string): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url?.host) return undefined;
  // Apps and extensions have schemes of their own, for which URL tells no origin.
  return url.origin === "null" ? `${url.protocol}//${url.host}` : url.origin;
}

/**
 * Tells browsers which scripts may call (Fetch standard, section 3.3). A preflight of a listed origin is
 * answered here with 204, without a token, which browsers never send with it; one of another origin with 403.
 * Every other request goes on to `handler`, and its answer has CORS headers only for a listed origin: this
 * keeps foreign scripts from reading answers, it is no protection of the server, which tokens are. Without
 * `origins` nothing is added at all.
 */
export function withCors(origins: CorsOrigins | undefined, handler: HttpHandler): HttpHandler {
  if (origins === undefined) return handler;
  return (request, response) => {
    const { origin } = request.headers;
    const isListed = origin !== undefined && (origins === "*" || origins.has(origin));
    // Also where there is no origin, or a cache would hand that answer to one.
    if (origins !== "*") response.setHeader("vary", "Origin");
    if (isListed) response.setHeader("access-control-allow-origin", origins === "*" ? "*" : origin);
    if (isPreflight(request)) {
      answerPreflight(request, response, isListed);
      return;
    }
    if (isListed) response.setHeader("access-control-expose-headers", exposedHeaders);
    handler(request, response);
  };
}

function isPreflight({ method, headers }: HttpRequest): boolean {
  return (
    method === "OPTIONS" &&
    headers.origin !== undefined &&
    headers["access-control-request-method"] !== undefined
  );
}

async function answerPreflight(
  request: HttpRequest,
  response: HttpResponse,
  isListed: boolean,
): Promise<void> {
  await discardUnreadBody(request, response, defaultHttpLimits);
  if (!isListed) {
    answerText(request, response, 403, "expected an origin of this server's --cors-origins, got another");
    return;
  }
  response.statusCode = 204;
  response.setHeader("access-control-allow-methods", allowedMethods);
  response.setHeader("access-control-allow-headers", allowedHeaders);
  response.setHeader("access-control-max-age", String(preflightMaxAgeS));
  // The two classes have the same methods, but their overloads do not unite.
  (response as ServerResponse).end();
}
