import { open } from "node:fs/promises";

/** The content of a file, as often as it is asked for. */
export interface PageBody {
  readonly bytes: number;
  /** Whether each reader holds a file open. */
  readonly isFile: boolean;
  /** Pieces of at most 64 KiB, drawn one by one: a reader that is slow holds one of them. */
  pieces(): AsyncIterable<Uint8Array>;
}

/** A client at 10 kbit/s takes one within a minute, which is as long as a reply may stall. */
const pieceBytes = 64 * 2 ** 10;

export function bodyOfBytes(content: Uint8Array): PageBody {
  return {
    bytes: content.length,
    isFile: false,
    async *pieces() {
      for (let at = 0; at < content.length; at += pieceBytes) yield content.subarray(at, at + pieceBytes);
    },
  };
}

/** Another file that takes the path's place meanwhile changes nothing for those who read. */
export function bodyOfFile(path: string, bytes: number): PageBody {
  return {
    bytes,
    isFile: true,
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
