import type { UniversalServerResponse } from "@connectrpc/connect/protocol";

/**
 * Percent-encodes `grpc-message` as "gRPC over HTTP/2" says: only `%` and what is not printable ASCII.
 * Connect encodes more, and clients that decode with `decodeURI`, as grpc-js does, then show `%3A` for a colon.
 */
export function encodeGrpcMessage(text: string): string {
  return text.replace(/[^ -$&-~]+/gu, (part) => {
    const bytes = [...new TextEncoder().encode(part)];
    return bytes.map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`).join("");
  });
}

/** The same answer, with its `grpc-message` trailer encoded by the rule above. */
export function withPlainGrpcMessage(answer: UniversalServerResponse): UniversalServerResponse {
  const { body, trailer } = answer;
  if (!body || !trailer) return answer;
  async function* readThenRecode(source: AsyncIterable<Uint8Array>, trailers: Headers) {
    yield* source;
    // The trailers are complete only when the body is.
    const message = trailers.get("grpc-message");
    if (message !== null) trailers.set("grpc-message", encodeGrpcMessage(decodeURIComponent(message)));
  }
  return { ...answer, body: readThenRecode(body, trailer) };
}
