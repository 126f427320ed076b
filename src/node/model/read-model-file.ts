import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { resolve } from "node:path";
import { EmbedError } from "../../errors.ts";

/** Which files of a folder make a Keras model. */
export interface ModelFiles {
  readonly folder: string;
  /** A path from the folder, or a whole one; so is `topology`. */
  readonly file: string;
  readonly topology?: string;
}

/** The most bytes of one file of a model: as many as an ONNX model may have. The largest of Keras's own has 1.6 GB. */
export const maxModelFileBytes = 2 ** 31 - 1;

/** Looks at a file's first 16 bytes, or at all of a smaller one, and at its size in bytes; throws if no more of it shall be read. */
type CheckStart = (start: Uint8Array, size: number) => void;

/** Twice the longest of the magic numbers, HDF5's of 8 bytes. */
const startBytes = 16;

/**
 * Reads a whole file; its size is looked at before any memory is taken.
 * @param checkStart asked before the rest is read
 * @throws EmbedError `MODEL_UNREACHABLE` if it cannot be read or is no plain file, `CONVERT_INVALID` if it is too large;
 *   and what `checkStart` throws
 */
export async function readModelFile(
  folder: string,
  path: string,
  checkStart?: CheckStart,
): Promise<Uint8Array<ArrayBuffer>> {
  const file = resolve(folder, path);
  try {
    // Without waiting, should it be a pipe that nobody writes to.
    const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const stat = await handle.stat();
      if (!stat.isFile()) throw new Error("it is no plain file");
      if (stat.size > maxModelFileBytes) {
        throw new EmbedError(
          "CONVERT_INVALID",
          `${file}: expected at most ${maxModelFileBytes} bytes, got ${stat.size}`,
        );
      }
      if (checkStart) {
        const start = new Uint8Array(Math.min(startBytes, stat.size));
        const { bytesRead } = await handle.read(start, 0, start.length, 0);
        checkStart(start.subarray(0, bytesRead), stat.size);
      }
      const bytes = new Uint8Array(stat.size);
      for (let at = 0; at < bytes.length; ) {
        const { bytesRead } = await handle.read(bytes, at, bytes.length - at, at);
        if (bytesRead === 0) throw new Error(`it ended after ${at} of ${bytes.length} bytes`);
        at += bytesRead;
      }
      return bytes;
    } finally {
      await handle.close();
    }
  } catch (cause) {
    if (cause instanceof EmbedError) throw cause;
    throw new EmbedError("MODEL_UNREACHABLE", `${file} cannot be read: ${(cause as Error).message}`, {
      cause,
    });
  }
}
