import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { EmbedError } from "../../errors.ts";

/**
 * Reads the files below `folder` in a gzipped tar file; nothing is unpacked to the disk.
 * @throws EmbedError `MODEL_CORRUPT` if it is no such file
 */
export async function readTarball(file: string, folder: string): Promise<Map<string, Uint8Array>> {
  const { Parser } = await import("tar");
  const files = new Map<string, Uint8Array>();
  const reads: Promise<void>[] = [];
  const parser = new Parser({
    strict: true,
    onReadEntry(entry) {
      if (entry.type !== "File" || !entry.path.startsWith(folder)) {
        entry.resume();
        return;
      }
      const name = entry.path.slice(folder.length);
      reads.push(entry.concat().then((bytes) => void files.set(name, bytes)));
    },
  });
  try {
    await pipeline(createReadStream(file), parser);
    await Promise.all(reads);
  } catch (cause) {
    throw new EmbedError(
      "MODEL_CORRUPT",
      `${file} cannot be read as a tarball: ${(cause as Error).message}`,
      {
        cause,
      },
    );
  }
  return files;
}
