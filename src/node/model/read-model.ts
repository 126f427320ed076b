import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import type { ModelManifest } from "../../embed/model-manifest.ts";
import { EmbedError } from "../../errors.ts";
import { howToMend } from "./how-to-mend.ts";
import { unreadableFile } from "./unreadable-file.ts";

/** Read at a time: small enough that other work gets its turn in between. */
const chunkBytes = 8 << 20;

/**
 * Reads a prepared model and checks its hash on the way.
 * @param file what `prepareModel` gave
 * @throws EmbedError `MODEL_CORRUPT` if it is not what the manifest says, `MODEL_UNREACHABLE` if it cannot be read
 */
export async function readModel(file: string, manifest: ModelManifest): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(manifest.onnx.bytes);
  const hash = createHash("sha256");
  try {
    const handle = await open(file);
    try {
      const readAt = async (position: number) => {
        const length = Math.min(chunkBytes, bytes.length - position);
        return (await handle.read(bytes, position, length, position)).bytesRead;
      };
      let position = 0;
      let pending = readAt(0);
      for (let length = await pending; length > 0; length = await pending) {
        // The next piece is read while this one is hashed.
        pending = readAt(position + length);
        hash.update(bytes.subarray(position, position + length));
        position += length;
      }
    } finally {
      await handle.close();
    }
  } catch (cause) {
    throw unreadableFile(file, cause);
  }
  const got = hash.digest("hex");
  if (got !== manifest.onnx.sha256) {
    const mend = await howToMend(file, manifest);
    throw new EmbedError(
      "MODEL_CORRUPT",
      `${file}: expected sha256 ${manifest.onnx.sha256}, got ${got}; ${mend}`,
    );
  }
  return bytes;
}
