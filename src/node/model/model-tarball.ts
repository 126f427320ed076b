import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import type { NpmModelSource } from "../../embed/model-manifest.ts";
import { EmbedError } from "../../errors.ts";

/** The first bytes of an HDF5 file, as the HDF5 file format specification (II.A) has them. */
const hdf5Magic = [0x89, 0x48, 0x44, 0x46];

/**
 * Checks the whole file against the integrity that the manifest holds.
 * @throws EmbedError `MODEL_CORRUPT` with both hashes; file system errors
 */
export async function checkTarball(file: string, source: NpmModelSource): Promise<void> {
  const hash = createHash("sha512");
  let bytes = 0;
  let head: readonly number[] | undefined;
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 }) as AsyncIterable<Uint8Array>) {
    head ??= [...chunk.subarray(0, hdf5Magic.length)];
    hash.update(chunk);
    bytes += chunk.byteLength;
  }
  const got = `sha512-${hash.digest("base64")}`;
  if (got === source.integrity) return;
  const expected = `the npm tarball ${source.package}@${source.version}`;
  if (head?.join() === hdf5Magic.join()) {
    throw new EmbedError(
      "MODEL_CORRUPT",
      `${file} is an HDF5 file (Keras .h5), which is not read yet; expected ${expected}`,
    );
  }
  throw new EmbedError(
    "MODEL_CORRUPT",
    `${file} is not ${expected}: expected ${source.bytes} bytes with ${source.integrity}, got ${bytes} bytes with ${got}; replace it, or delete it to have it fetched`,
  );
}

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
