import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { pipeline } from "node:stream";
import { createBrotliDecompress } from "node:zlib";

/** The content of a file, as often as it is asked for. */
export interface PageBody {
  /** Undefined if it shows only at the end. */
  readonly bytes: number | undefined;
  /** What each reader costs while it reads: 0 for bytes in memory, 1 for an open file and 64 KiB. */
  readonly cost: number;
  /** Pieces of at most 64 KiB, drawn one by one: a reader that is slow holds one of them. */
  pieces(): AsyncIterable<Uint8Array>;
}

/** A client at 10 kbit/s takes one within a minute, which is as long as a reply may stall. */
const pieceBytes = 64 * 2 ** 10;

export function bodyOfBytes(content: Uint8Array): PageBody {
  return {
    bytes: content.length,
    cost: 0,
    async *pieces() {
      for (let at = 0; at < content.length; at += pieceBytes) yield content.subarray(at, at + pieceBytes);
    },
  };
}

/** Another file that takes the path's place meanwhile changes nothing for those who read. */
export function bodyOfFile(path: string, bytes: number): PageBody {
  return {
    bytes,
    cost: 1,
    async *pieces() {
      const file = await open(path);
      try {
        for (let at = 0; at < bytes; ) {
          const length = Math.min(pieceBytes, bytes - at);
          // Not one buffer for all: what was given away may not be sent yet.
          const { bytesRead, buffer } = await file.read(new Uint8Array(length), 0, length, at);
          if (bytesRead === 0) throw new Error(`${path}: expected ${bytes} bytes, got ${at}`);
          yield buffer.subarray(0, bytesRead);
          at += bytesRead;
        }
      } finally {
        await file.close();
      }
    },
  };
}

/** Brotli looks back over up to 16 MiB: as much as 16 readers of plain files are granted, and then some. */
const unpackingCost = 16;

/** What a file holds that was compressed with brotli. */
export function bodyOfBrotli(path: string): PageBody {
  return {
    bytes: undefined,
    cost: unpackingCost,
    async *pieces() {
      const unpacked = createBrotliDecompress({ chunkSize: pieceBytes });
      // Whoever reads it is told of an error by the last of them.
      pipeline(createReadStream(path), unpacked, () => undefined);
      yield* unpacked;
    },
  };
}

/** The whole content, in memory. */
export async function readWhole(body: PageBody): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of body.pieces()) pieces.push(piece);
  return Buffer.concat(pieces);
}
