import { Code, CodeSchema } from "../gen/portico/conformance/v1/suite_pb.ts";

const knownCodes = Object.values(Code).filter((code) => code !== Code.UNSPECIFIED);

/** The code as Connect and the table spell it, for example `invalid_argument`. */
export function codeToString(code: Code): string {
  const value = CodeSchema.values.find(({ number }) => number === code);
  return value === undefined ? `code ${code}` : value.name.slice("CODE_".length).toLowerCase();
}

/** Inverse of `codeToString`; undefined for a spelling that Connect does not know. */
export function codeFromString(text: string): Code | undefined {
  return knownCodes.find((code) => codeToString(code) === text);
}

/** gRPC's number to a code; undefined for 0 (OK) and for numbers that gRPC does not know. */
export function codeFromNumber(number: number): Code | undefined {
  return knownCodes.find((code) => code === number);
}

/**
 * The code that stands for an HTTP status when the answer carries no code of its own: "HTTP to Error Code"
 * of the Connect protocol, the same as "HTTP to gRPC Status Code Mapping" of gRPC.
 */
export function codeFromHttpStatus(status: number): Code {
  if (status === 400) return Code.INTERNAL;
  if (status === 401) return Code.UNAUTHENTICATED;
  if (status === 403) return Code.PERMISSION_DENIED;
  if (status === 404) return Code.UNIMPLEMENTED;
  if (status === 429 || status === 502 || status === 503 || status === 504) return Code.UNAVAILABLE;
  return Code.UNKNOWN;
}

/** The HTTP status that a Connect server must send with a code ("Error Codes" of the Connect protocol). */
export function codeToHttpStatus(code: Code): number {
  return connectStatus[code] ?? 500;
}

const connectStatus: Readonly<Record<number, number>> = {
  [Code.CANCELLED]: 499,
  [Code.INVALID_ARGUMENT]: 400,
  [Code.DEADLINE_EXCEEDED]: 504,
  [Code.NOT_FOUND]: 404,
  [Code.ALREADY_EXISTS]: 409,
  [Code.PERMISSION_DENIED]: 403,
  [Code.RESOURCE_EXHAUSTED]: 429,
  [Code.FAILED_PRECONDITION]: 400,
  [Code.ABORTED]: 409,
  [Code.OUT_OF_RANGE]: 400,
  [Code.UNIMPLEMENTED]: 501,
  [Code.UNAVAILABLE]: 503,
  [Code.UNAUTHENTICATED]: 401,
};
