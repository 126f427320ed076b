import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { EmbedError } from "../../errors.ts";
import { type IdentityReply, Operator } from "../../gen/omnisearch/operator_pb.ts";
import { showText } from "../show-text.ts";
import type { EndpointAddress } from "./endpoint-address.ts";

/** For each of the two calls: an operator answers both in milliseconds. */
export const operatorTimeoutMs = 10_000;

/** What an operator says of itself. */
export type OperatorIdentity = Pick<
  IdentityReply,
  "name" | "endpoint" | "type" | "input" | "output" | "dimension" | "metricType"
>;

/**
 * Dials an operator as Phantoscope does: plaintext gRPC, Identity and Healthy.
 * @throws EmbedError `SERVER_UNREACHABLE`, `NOT_READY`, or `CONFIG_INVALID` for an Identity that Phantoscope cannot use
 */
export async function dialOperator(
  address: EndpointAddress,
  timeoutMs: number = operatorTimeoutMs,
): Promise<OperatorIdentity> {
  const operator = createClient(
    Operator,
    createGrpcTransport({ baseUrl: `http://${address.text}`, defaultTimeoutMs: timeoutMs }),
  );
  const identity = await operator.identity({}).catch((error: unknown) => {
    throw toDialError(address.text, "Identity", ConnectError.from(error), timeoutMs);
  });
  checkIdentity(address.text, identity);
  const { healthy } = await operator.healthy({}).catch((error: unknown) => {
    throw toDialError(address.text, "Healthy", ConnectError.from(error), timeoutMs);
  });
  if (healthy !== "healthy") {
    throw new EmbedError(
      "NOT_READY",
      `the operator at ${address.text} is not well: expected "healthy" from Healthy, got "${showText(healthy)}"`,
    );
  }
  return identity;
}

/** What of Identity Phantoscope computes with: search/models/operator.py and pipeline/pipeline.py. */
function checkIdentity(address: string, { type, dimension }: OperatorIdentity): void {
  if (type !== "encoder" && type !== "processor") {
    throw invalid(address, `type "encoder" or "processor"`, type);
  }
  if (!/^-?\d{1,9}$/.test(dimension)) throw invalid(address, "a whole number as dimension", dimension);
}

function invalid(address: string, expected: string, got: string): EmbedError {
  return new EmbedError(
    "CONFIG_INVALID",
    `the operator at ${address} cannot be used by Phantoscope: expected ${expected} in its Identity, got "${showText(got)}"`,
  );
}

const notOperator =
  "what answers there is no omnisearch.Operator over plaintext gRPC, which is all that Phantoscope speaks; mend --endpoint, or serve it without TLS";

function toDialError(address: string, method: string, error: ConnectError, timeoutMs: number): EmbedError {
  const { code, rawMessage, cause } = error;
  const at = `the operator at ${address}`;
  if (code === Code.DeadlineExceeded) {
    return new EmbedError("DEADLINE_EXCEEDED", `${at} did not answer ${method} within ${timeoutMs} ms`, {
      cause: error,
    });
  }
  if (code === Code.Unauthenticated || code === Code.PermissionDenied) {
    return new EmbedError(
      "UNAUTHENTICATED",
      `${at} asks for credentials, and Phantoscope can send none: serve it without --tokens-file`,
      { cause: error },
    );
  }
  if (method === "Healthy" && code === Code.Unavailable && !systemCode(cause)) {
    return new EmbedError(
      "NOT_READY",
      `${at} is not ready: ${showText(rawMessage.replace(/^NOT_READY: /, ""))}; try again`,
      {
        cause: error,
      },
    );
  }
  const why = dialMendings[systemCode(cause)] ?? `${notOperator} (${showText(rawMessage)})`;
  return new EmbedError("SERVER_UNREACHABLE", `cannot dial ${at}: ${why}`, { cause: error });
}

const systemCode = (cause: unknown): string =>
  cause instanceof Error && "code" in cause ? String(cause.code) : "";

const dialMendings: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nobody listens there; start it, with that port in OP_ENDPOINT, or mend --endpoint",
  ENOTFOUND: "no such host name here; --no-check if only Phantoscope knows it",
  EAI_AGAIN: "the host name cannot be looked up here; --no-check if only Phantoscope knows it",
  EHOSTUNREACH: "no way from here to that host; --no-check if only Phantoscope reaches it",
  ENETUNREACH: "no way from here to that network; --no-check if only Phantoscope reaches it",
  ETIMEDOUT: "the host does not answer here; --no-check if only Phantoscope reaches it",
};
