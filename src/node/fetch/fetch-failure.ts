import { errors } from "undici";
import { EmbedError } from "../../errors.ts";

/** Why the picture of a caller's URL did not come. `url` is the caller's own, whatever it redirected to. */
export function unreachable(
  url: URL,
  why: string | undefined,
  { cause, httpStatus }: { readonly cause?: unknown; readonly httpStatus?: number } = {},
): EmbedError {
  const message = `${url.host} could not be reached${why === undefined ? "" : `: ${why}`}`;
  return new EmbedError("SOURCE_UNREACHABLE", message, {
    cause,
    ...(httpStatus !== undefined && { detail: { httpStatus } }),
  });
}

/** What went wrong once a checked address was dialled, in words without addresses. */
export function describeFailure(error: unknown): string | undefined {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (code === "ECONNREFUSED") return "the connection was refused";
  if (code === "ECONNRESET" || code === "EPIPE" || code === "UND_ERR_SOCKET") {
    return "the connection was closed before the whole answer had come";
  }
  if (code === "UND_ERR_RES_CONTENT_LENGTH_MISMATCH") return "the body is shorter or longer than announced";
  if (error instanceof errors.HTTPParserError || code.startsWith("UND_ERR_HEADERS")) {
    return "its answer is not valid HTTP";
  }
  if (code.startsWith("ERR_TLS_") || code.startsWith("ERR_SSL_") || /CERT|SIGNATURE|EPROTO/.test(code)) {
    return `TLS failed (${code})`;
  }
  return undefined;
}
