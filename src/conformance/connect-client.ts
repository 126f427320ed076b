import {
  create,
  type DescMessage,
  fromBinary,
  fromJsonString,
  toBinary,
  toJsonString,
} from "@bufbuild/protobuf";
import { type Any, AnySchema } from "@bufbuild/protobuf/wkt";
import type { HttpPost, HttpReply } from "./http-post.ts";
import {
  broken,
  type OperatorClient,
  type RpcBroken,
  type RpcError,
  type RpcOutcome,
  textOf,
} from "./operator-client.ts";
import { codeFromHttpStatus, codeFromString, codeToHttpStatus } from "./rpc-code.ts";

export type ConnectCodec = "proto" | "json";

/** Unary calls of the Connect protocol (connectrpc.com/docs/protocol), with binary or JSON messages. */
export function createConnectClient(http: HttpPost, codec: ConnectCodec): OperatorClient {
  const contentType = `application/${codec}`;
  return {
    async call({ service, method, input, output, request, timeoutMs }) {
      const headers = {
        "content-type": contentType,
        "connect-protocol-version": "1",
        "connect-timeout-ms": String(timeoutMs),
      };
      try {
        const body =
          codec === "proto"
            ? toBinary(input, request)
            : new TextEncoder().encode(toJsonString(input, request));
        const signal = AbortSignal.timeout(timeoutMs);
        const response = await http.post(`/${service}/${method}`, headers, body, signal);
        return response.status === 200 ? readReply(response, output, codec) : readError(response);
      } catch (error) {
        return broken(textOf(error));
      }
    },
    close: () => http.close(),
  };
}

function readReply<O extends DescMessage>(
  response: HttpReply,
  output: O,
  codec: ConnectCodec,
): RpcOutcome<O> {
  const type = mediaType(response);
  if (type !== `application/${codec}`) return broken(`expected application/${codec}, got "${type}"`);
  const reply =
    codec === "proto"
      ? fromBinary(output, response.body)
      : fromJsonString(output, new TextDecoder().decode(response.body));
  return { kind: "reply", reply };
}

/** An error is JSON whatever the codec; without it the HTTP status alone says what happened. */
function readError(response: HttpReply): RpcError | RpcBroken {
  const text = new TextDecoder().decode(response.body);
  if (mediaType(response) !== "application/json") {
    return { kind: "error", code: codeFromHttpStatus(response.status), message: text, details: [] };
  }
  const parsed: unknown = JSON.parse(text);
  if (!isErrorBody(parsed))
    return broken(`HTTP ${response.status} with a body that is no Connect error: ${text}`);
  const code = codeFromString(parsed.code);
  if (code === undefined) return broken(`"${parsed.code}" is none of Connect's codes`);
  // A path that a server does not know is 404 for HTTP, which stands for the same code as 501 does.
  if (response.status !== codeToHttpStatus(code) && codeFromHttpStatus(response.status) !== code) {
    return broken(`code ${parsed.code} goes with HTTP ${codeToHttpStatus(code)}, got ${response.status}`);
  }
  return { kind: "error", code, message: parsed.message ?? "", details: (parsed.details ?? []).map(toAny) };
}

interface ErrorBody {
  readonly code: string;
  readonly message?: string;
  readonly details?: readonly ErrorDetailBody[];
}

interface ErrorDetailBody {
  readonly type: string;
  /** Base64, with or without padding. */
  readonly value: string;
}

function isErrorBody(value: unknown): value is ErrorBody {
  if (typeof value !== "object" || value === null) return false;
  const { code, message, details } = value as Record<string, unknown>;
  return (
    typeof code === "string" &&
    (message === undefined || typeof message === "string") &&
    (details === undefined || (Array.isArray(details) && details.every(isErrorDetail)))
  );
}

function isErrorDetail(value: unknown): value is ErrorDetailBody {
  if (typeof value !== "object" || value === null) return false;
  const { type, value: content } = value as Record<string, unknown>;
  return typeof type === "string" && typeof content === "string";
}

function toAny({ type, value }: ErrorDetailBody): Any {
  return create(AnySchema, {
    typeUrl: `type.googleapis.com/${type}`,
    value: new Uint8Array(Buffer.from(value, "base64")),
  });
}

function mediaType(response: HttpReply): string {
  return (response.headers.get("content-type") ?? "").split(";")[0]!.trim().toLowerCase();
}
