import { setTimeout as sleep } from "node:timers/promises";
import type { Message } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import {
  ConnectError,
  type ConnectRouter,
  type ContextValues,
  createContextKey,
  createContextValues,
  type HandlerContext,
} from "@connectrpc/connect";
import type { HttpRequest } from "../../src/node/http/http-types.ts";
import type {
  ErrorDefinition,
  NamedValues,
  PayloadResponse,
  RequestInfo,
  StreamDefinition,
  StreamRequest,
  UnaryDefinition,
  UnaryRequest,
} from "./conformance-messages.ts";
import type { ConformanceRegistry } from "./conformance-registry.ts";

const getQuery = createContextKey<URLSearchParams | undefined>(undefined);

/** Keeps what the suite wants to be told of a Connect GET, which the handler is given as any other call. */
export function conformanceContextValues(request: HttpRequest): ContextValues {
  const isGet = request.method === "GET";
  const query = isGet ? new URL(request.url ?? "", "http://localhost").searchParams : undefined;
  return createContextValues().set(getQuery, query);
}

/**
 * The ConformanceService of the suite: answers as each request asks, and tells what it saw of the request.
 * https://github.com/connectrpc/conformance/blob/v1.0.7/proto/connectrpc/conformance/v1/service.proto
 */
export function conformanceRoutes(known: ConformanceRegistry): (router: ConnectRouter) => void {
  function requestInfo(requests: readonly Message[], context: HandlerContext): RequestInfo {
    const timeoutMs = context.timeoutMs();
    const query = context.values.get(getQuery);
    return {
      requestHeaders: namedValues(context.requestHeader),
      ...(timeoutMs === undefined ? {} : { timeoutMs: BigInt(timeoutMs) }),
      requests: pack(requests),
      ...(query ? { connectGetInfo: { queryParams: namedValues(query) } } : {}),
    };
  }

  function pack(requests: readonly Message[]) {
    return requests.map((request) => anyPack(known.registry.getMessage(request.$typeName)!, request));
  }

  /** An error that comes first carries what was seen of the request. */
  function toError(definition: ErrorDefinition, info?: RequestInfo): ConnectError {
    const details = definition.details.map(({ typeUrl, value }) => ({
      type: typeUrl.slice(typeUrl.lastIndexOf("/") + 1),
      value,
    }));
    const desc = known.message("ConformancePayload.RequestInfo");
    const more = info ? [{ desc, value: { ...info } }] : [];
    const error = new ConnectError(definition.message ?? "", definition.code, undefined, more);
    error.details.unshift(...details);
    return error;
  }

  async function answerOnce(
    definition: UnaryDefinition | undefined,
    requests: readonly Message[],
    context: HandlerContext,
  ): Promise<PayloadResponse> {
    const info = requestInfo(requests, context);
    if (!definition) return { payload: { requestInfo: info } };
    setMetadata(definition, context);
    await sleep(definition.responseDelayMs);
    const { response } = definition;
    if (response.case === "error") throw toError(response.value, info);
    if (response.case === undefined) return { payload: { requestInfo: info } };
    return { payload: { data: response.value, requestInfo: info } };
  }

  /** Answers from the number `from` on, then the error if there is one. */
  async function* answerRest(
    definition: StreamDefinition | undefined,
    from: number,
    requests: readonly Message[],
    context: HandlerContext,
  ): AsyncGenerator<PayloadResponse> {
    if (!definition) return;
    const info = from === 0 ? requestInfo(requests, context) : undefined;
    for (const [index, data] of definition.responseData.slice(from).entries()) {
      await sleep(definition.responseDelayMs);
      yield { payload: { data, ...(info && index === 0 ? { requestInfo: info } : {}) } };
    }
    if (definition.error)
      throw toError(definition.error, definition.responseData.length === 0 ? info : undefined);
  }

  function unary(request: UnaryRequest, context: HandlerContext) {
    return answerOnce(request.responseDefinition, [request], context);
  }

  async function clientStream(requests: AsyncIterable<UnaryRequest>, context: HandlerContext) {
    const seen: UnaryRequest[] = [];
    for await (const request of requests) seen.push(request);
    return answerOnce(seen[0]?.responseDefinition, seen, context);
  }

  async function* serverStream(request: StreamRequest, context: HandlerContext) {
    const { responseDefinition } = request;
    if (responseDefinition) setMetadata(responseDefinition, context);
    yield* answerRest(responseDefinition, 0, [request], context);
  }

  async function* bidiStream(requests: AsyncIterable<StreamRequest>, context: HandlerContext) {
    let first: StreamRequest | undefined;
    let unanswered: StreamRequest[] = [];
    let sent = 0;
    for await (const request of requests) {
      unanswered.push(request);
      if (!first) {
        first = request;
        if (first.responseDefinition) setMetadata(first.responseDefinition, context);
      }
      if (!first.fullDuplex) continue;
      const data = first.responseDefinition?.responseData[sent];
      if (!data) break;
      await sleep(first.responseDefinition?.responseDelayMs);
      const info = sent === 0 ? requestInfo(unanswered, context) : { requests: pack(unanswered) };
      yield { payload: { data, requestInfo: info } };
      unanswered = [];
      sent++;
    }
    yield* answerRest(first?.responseDefinition, sent, unanswered, context);
  }

  const implementation = { unary, idempotentUnary: unary, clientStream, serverStream, bidiStream };
  // Descriptors read at run time have no types of their own; those of conformance-messages.ts stand for them.
  const untyped: Record<string, never> = implementation as Record<string, unknown> as Record<string, never>;
  return (router) => router.service(known.service, untyped, { jsonOptions: { registry: known.registry } });
}

function setMetadata(
  { responseHeaders, responseTrailers }: UnaryDefinition | StreamDefinition,
  { responseHeader, responseTrailer }: HandlerContext,
): void {
  append(responseHeader, responseHeaders);
  append(responseTrailer, responseTrailers);
}

function append(header: Headers, values: readonly NamedValues[]): void {
  for (const { name, value } of values) for (const one of value) header.append(name, one);
}

function namedValues(entries: Headers | URLSearchParams): NamedValues[] {
  return [...entries].map(([name, value]) => ({ name, value: [value] }));
}
