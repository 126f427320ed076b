import { createBrotliDecompress, createGunzip } from "node:zlib";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Compression } from "@connectrpc/connect/protocol";
import { compressionBrotli, compressionGzip } from "@connectrpc/connect-node";
import { createMessageBuffer } from "./message-buffer.ts";
import { releasePiece } from "./release-memory.ts";

/** A compression that tells how much it has unpacked while it still unpacks. */
export interface CountingCompression extends Compression {
  /**
   * @param onBytes gets the length of each piece before it is kept; what it throws ends the unpacking
   * @throws ConnectError RESOURCE_EXHAUSTED beyond `readMaxBytes`, INVALID_ARGUMENT for broken data
   */
  decompress(
    packed: Uint8Array,
    readMaxBytes: number,
    onBytes?: (bytes: number) => void,
  ): Promise<Uint8Array<ArrayBuffer>>;
}

/** gzip and brotli. Connect-node would call data that end too early an internal error. */
export const acceptedCompression: readonly CountingCompression[] = [
  counting(compressionGzip, createGunzip),
  counting(compressionBrotli, createBrotliDecompress),
];

/** Of one piece: fewer turns of the event loop than with zlib's own 16 KiB. */
const pieceBytes = 64 * 2 ** 10;

type CreateStream = typeof createGunzip | typeof createBrotliDecompress;

function counting({ name, compress }: Compression, createStream: CreateStream): CountingCompression {
  return {
    name,
    compress: (bytes) => compress(bytes),
    async decompress(packed, readMaxBytes, onBytes) {
      const buffer = createMessageBuffer();
      // As Connect has it: nothing is nothing unpacked.
      if (packed.length === 0) return buffer.take();
      const stream = createStream({ chunkSize: pieceBytes });
      stream.end(packed);
      try {
        for await (const piece of stream as AsyncIterable<Uint8Array>) {
          if (buffer.length + piece.length > readMaxBytes) {
            const message = `message is larger than configured readMaxBytes ${readMaxBytes} after decompression`;
            throw new ConnectError(message, Code.ResourceExhausted);
          }
          onBytes?.(piece.length);
          buffer.append(piece);
          releasePiece(piece);
        }
      } catch (error) {
        throw isOfZlib(error) ? brokenData(error, name, packed.length) : error;
      }
      return buffer.take();
    },
  };
}

/** Every error of zlib has a code; lack of memory is not the caller's fault. */
function isOfZlib(error: unknown): error is Error & { readonly code: string } {
  return (
    error instanceof Error &&
    "code" in error &&
    typeof error.code === "string" &&
    !/ALLOC|MEM_ERROR/.test(error.code)
  );
}

function brokenData(error: Error & { readonly code: string }, name: string, bytes: number): ConnectError {
  const message =
    error.code === "Z_BUF_ERROR"
      ? `expected complete ${name} data, got ${bytes} bytes that end too early`
      : `expected ${name} data, got ${bytes} bytes that are not: ${error.message}`;
  return new ConnectError(message, Code.InvalidArgument, undefined, undefined, error);
}
