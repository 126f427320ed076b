import { constants } from "node:http2";
import {
  Code,
  ConnectError,
  type ConnectRouter,
  type ContextValues,
  createConnectRouter,
  type HandlerContext,
  type Interceptor,
} from "@connectrpc/connect";
import type { UniversalHandler, UniversalServerRequest } from "@connectrpc/connect/protocol";
import { universalRequestFromNodeRequest, universalResponseToNodeResponse } from "@connectrpc/connect-node";
import { acceptedCompression } from "./accepted-compression.ts";
import { withCheckedMessages } from "./checked-messages.ts";
import { postFromGet } from "./get-message.ts";
import { withPlainGrpcMessage } from "./grpc-message.ts";
import { defaultHttpLimits, type HttpLimits } from "./http-limits.ts";
import type { HttpHandler, HttpLog, HttpRequest, HttpResponse } from "./http-types.ts";
import { logInternalErrors } from "./log-internal-errors.ts";
import { createMessageLimitRouter, requestMaxBytes } from "./message-limit-router.ts";
import { answerText, answerUnknownPath } from "./unknown-path.ts";
import { discardUnreadBody, readBody } from "./unread-body.ts";

export interface GuardedHandlerOptions {
  readonly routes: (router: ConnectRouter) => void;
  readonly log: HttpLog;
  readonly limits?: Partial<HttpLimits>;
  readonly interceptors?: readonly Interceptor[];
  /** Runs after the headers and before the body: sheds load and checks credentials by throwing. */
  readonly requestGate?: (context: HandlerContext) => void | Promise<void>;
  readonly contextValues?: (request: HttpRequest) => ContextValues;
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
  });
  options.routes(createMessageLimitRouter(router, limits));
  const rpcs = new Map(router.handlers.map((handler) => [handler.requestPath, handler]));
  const services = [...new Set(router.handlers.map((handler) => handler.service.typeName))];

  async function serve(request: HttpRequest, response: HttpResponse): Promise<void> {
    const rpc = rpcs.get(request.url?.split("?", 1)[0] ?? "");
    if (!rpc) {
      await discardUnreadBody(request, response, limits);
      answerUnknownPath(request, response, services);
      return;
    }
    let call: UniversalServerRequest;
    try {
      call = universalRequestFromNodeRequest(request, response, undefined, options.contextValues?.(request));
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
    limitReceiveTime(request, rpc, limits.requestTimeoutMs);
    const { method } = rpc;
    const readMaxBytes = requestMaxBytes(method, limits);
    const plain = { ...call, body: readBody(request) };
    const post = rpc.allowedMethods.includes("GET") ? postFromGet(plain) : plain;
    const checked = withCheckedMessages(post, { method, readMaxBytes, limits });
    const answer = await rpc(checked);
    await discardUnreadBody(request, response, limits);
    await universalResponseToNodeResponse(withPlainGrpcMessage(answer), response);
  }

  return (request, response) => {
    serve(request, response).catch((error: unknown) => {
      if (!isGone(error, response)) {
        log("error", "a request could not be answered", { error, path: request.url });
      }
      if (response.headersSent || response.destroyed) response.destroy();
      else answerText(request, response, 500, "an internal error occurred");
    });
  };
}

/** Whether the failure is only that the client has left. */
function isGone(error: unknown, response: HttpResponse): boolean {
  const code = ConnectError.from(error).code;
  return response.destroyed || code === Code.Aborted || code === Code.Canceled;
}

/**
 * Node's request timeout knows HTTP/1.1 only. Over HTTP/2 a client that sends one message has as long; one
 * that streams may take its time.
 */
function limitReceiveTime(request: HttpRequest, rpc: UniversalHandler, timeoutMs: number): void {
  const { methodKind } = rpc.method;
  if (!("stream" in request) || methodKind === "bidi_streaming" || methodKind === "client_streaming") return;
  const { stream } = request;
  // Its close has been told already, and would never clear the timer.
  if (stream.closed) return;
  const timer = setTimeout(() => stream.close(constants.NGHTTP2_CANCEL), timeoutMs);
  request.once("end", () => clearTimeout(timer));
  stream.once("close", () => clearTimeout(timer));
}
