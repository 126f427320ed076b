import { Code, ConnectError } from "@connectrpc/connect";
import type { Compression } from "@connectrpc/connect/protocol";
import { compressionBrotli, compressionGzip } from "@connectrpc/connect-node";

/** gzip and brotli. Data that end too early are the caller's fault; connect-node calls them an internal error. */
export const acceptedCompression: readonly Compression[] = [
  blameCaller(compressionGzip),
  blameCaller(compressionBrotli),
];

function blameCaller(compression: Compression): Compression {
  return {
    name: compression.name,
    compress: (bytes) => compression.compress(bytes),
    async decompress(bytes, readMaxBytes) {
      try {
        return await compression.decompress(bytes, readMaxBytes);
      } catch (error) {
        if (!isTruncation(error)) throw error;
        const message = `expected complete ${compression.name} data, got ${bytes.length} bytes that end too early`;
        throw new ConnectError(message, Code.InvalidArgument, undefined, undefined, error);
      }
    },
  };
}

function isTruncation(error: unknown): boolean {
  const cause = error instanceof ConnectError ? error.cause : undefined;
  return cause instanceof Error && "code" in cause && cause.code === "Z_BUF_ERROR";
}
