import {
  Code,
  ConnectError,
  type ConnectRouter,
  type ContextValues,
  createConnectRouter,
  createContextValues,
  type Interceptor,
} from "@connectrpc/connect";
import type { UniversalServerRequest } from "@connectrpc/connect/protocol";
import { universalRequestFromNodeRequest, universalResponseToNodeResponse } from "@connectrpc/connect-node";
import { chargeCallKey } from "../../service/charge-call.ts";
import { keepMessageKey } from "../../service/keep-message.ts";
import { logInternalErrors } from "../observe/log-internal-errors.ts";
import { noteInternalFailure, watchCall, watchReply } from "../observe/observe-requests.ts";
import { limitReceiveTime } from "../observe/receive-time.ts";
import { acceptedCompression } from "./accepted-compression.ts";
import { withCheckedMessages } from "./checked-messages.ts";
import { postFromGet } from "./get-message.ts";
import { withPlainGrpcMessage } from "./grpc-message.ts";
import { defaultHttpLimits, type HttpLimits } from "./http-limits.ts";
import type { HttpHandler, HttpLog, HttpRequest, HttpResponse } from "./http-types.ts";
import { announcedBytes, chargeBody, createAccounts, releaseAfterBody } from "./inflight-bytes-body.ts";
import { releaseAtEnd } from "./inflight-bytes-release.ts";
import { createMessageLimitRouter, requestMaxBytes } from "./message-limit-router.ts";
import { inPieces } from "./reply-pieces.ts";
import type { RequestGate } from "./request-gate.ts";
import { sendHead, toTrailersOnly } from "./trailers-only.ts";
import { answerText, answerUnknownPath } from "./unknown-path.ts";
import { discardUnreadBody, readBody } from "./unread-body.ts";

export interface GuardedHandlerOptions {
  readonly routes: (router: ConnectRouter) => void;
  readonly log: HttpLog;
  readonly limits?: Partial<HttpLimits>;
  readonly interceptors?: readonly Interceptor[];
  /** Runs after the headers and before the body: sheds load and checks credentials by throwing. */
  readonly requestGate?: RequestGate;
  readonly contextValues?: (request: HttpRequest) => ContextValues;
  /** Aborts every call in flight, with its reason. */
  readonly cutOff?: AbortSignal;
}

/**
 * Serves Connect routes as `connectNodeAdapter` does, from the same parts, but so that no request can end the
 * process or wedge its connection: a request without a usable authority is answered with 400, the rest of a
 * refused body is read or reset, a message that is malformed or made of too many parts is refused before it
 * is parsed, an unknown method is answered in its own protocol, and what goes wrong inside is told to `log`
 * alone.
 */
export function createGuardedHandler(options: GuardedHandlerOptions): HttpHandler {
  const limits = { ...defaultHttpLimits, ...options.limits };
  const { log } = options;
  const router = createConnectRouter({
    acceptCompression: [...acceptedCompression],
    writeMaxBytes: limits.messageMaxBytes,
    // A field that nobody reads would be kept, at fifty times its size.
    binaryOptions: { readUnknownFields: false },
    interceptors: [logInternalErrors(log), ...(options.interceptors ?? [])],
    ...(options.requestGate ? { requestGate: options.requestGate } : {}),
    ...(options.cutOff ? { shutdownSignal: options.cutOff } : {}),
  });
  options.routes(createMessageLimitRouter(router, limits));
  const rpcs = new Map(router.handlers.map((handler) => [handler.requestPath, handler]));
  const openAccount = createAccounts(limits);
  const services = [...new Set(router.handlers.map((handler) => handler.service.typeName))];

  async function serve(request: HttpRequest, response: HttpResponse): Promise<void> {
    const rpc = rpcs.get(request.url?.split("?", 1)[0] ?? "");
    if (!rpc) {
      await discardUnreadBody(request, response, limits);
      answerUnknownPath(request, response, services);
      return;
    }
    const values = options.contextValues?.(request) ?? createContextValues();
    let call: UniversalServerRequest;
    try {
      checkOneHost(request);
      call = universalRequestFromNodeRequest(request, response, undefined, values);
    } catch (error) {
      // The adapter's own listener throws here, and nothing would catch it.
      log("warn", "a request without a usable Host or :authority was refused", { error });
      await discardUnreadBody(request, response, limits);
      answerText(
        request,
        response,
        400,
        "expected a Host header (HTTP/2: an :authority) of the form HOST[:PORT]",
      );
      return;
    }
    const { method } = rpc;
    const readMaxBytes = requestMaxBytes(method, limits);
    const account = openAccount(readMaxBytes);
    const { held } = account;
    releaseAtEnd(held, request, response);
    values.set(keepMessageKey, held.keep);
    values.set(chargeCallKey, held.charge);
    const announced = announcedBytes(call.header.get("content-length"), readMaxBytes);
    const time = limitReceiveTime(request, method, readBody(request, response), limits.requestTimeoutMs);
    const body = watchCall(method, request.method, time.body);
    const plain = { ...call, body: chargeBody(body, held, announced) };
    const post = rpc.allowedMethods.includes("GET") ? postFromGet(plain) : plain;
    const { onMessageEdge } = time;
    const checked = withCheckedMessages(post, { method, readMaxBytes, limits, held, onMessageEdge });
    const answer = watchReply(await rpc({ ...checked, body: releaseAfterBody(checked.body, account) }));
    await discardUnreadBody(request, response, limits);
    const { body: reply, ...head } = withPlainGrpcMessage(await toTrailersOnly(answer));
    if (!reply && !head.trailer) sendHead(head, response);
    else
      await universalResponseToNodeResponse({ ...head, ...(reply && { body: inPieces(reply) }) }, response);
  }

  return (request, response) => {
    // Whoever reads the body is told of an error by the body. But Node may emit one, that the client has gone,
    // in the moment after the reader has left; and one that nobody hears ends the process.
    request.on("error", () => undefined);
    serve(request, response).catch((error: unknown) => {
      if (!isGone(error, response)) {
        // The query of a call by GET is its message.
        log("error", "a request could not be answered", { error, path: request.url?.split("?", 1)[0] });
        noteInternalFailure();
      }
      if (response.headersSent || response.destroyed) response.destroy();
      else answerText(request, response, 500, "an internal error occurred");
    });
  };
}

/** RFC 9112, section 3.2: a request with two must be refused. Node takes the first. */
function checkOneHost(request: HttpRequest): void {
  if ("stream" in request) return;
  const count = request.headersDistinct.host?.length ?? 0;
  if (count > 1) throw new ConnectError(`expected one Host header, got ${count}`, Code.InvalidArgument);
}

/** Whether the failure is only that the client has left. */
function isGone(error: unknown, response: HttpResponse): boolean {
  const code = ConnectError.from(error).code;
  // A write may fail before the response hears that its connection was cut off.
  const isClosed = "stream" in response ? response.stream.closed : response.socket?.destroyed;
  return response.destroyed || isClosed === true || code === Code.Aborted || code === Code.Canceled;
}
