import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import type { WeightsSource } from "../../embed/model-manifest.ts";
import { EmbedError } from "../../errors.ts";
import { hashOf, nameSource, sourceFileName } from "./model-cache.ts";

/** A whole file of weights that is what one of the sources has. */
export interface CheckedWeights {
  readonly file: string;
  readonly source: WeightsSource;
  readonly bytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
}

/**
 * Finds the source whose hash a file has. The file's SHA-256 is made as well, since the hash of a source may be weak.
 * @param shown what messages call the file, such as the URL that it came from
 * @throws EmbedError `MODEL_CORRUPT` with both hashes; file system errors
 */
export async function checkWeights(
  file: string,
  sources: readonly WeightsSource[],
  shown = file,
): Promise<CheckedWeights> {
  const hashes = { sha512: createHash("sha512"), md5: createHash("md5"), sha256: createHash("sha256") };
  const used = new Set(["sha256", ...sources.map((source) => (source.kind === "npm" ? "sha512" : "md5"))]);
  let bytes = 0;
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 }) as AsyncIterable<Uint8Array>) {
    for (const [name, hash] of Object.entries(hashes)) if (used.has(name)) hash.update(chunk);
    bytes += chunk.byteLength;
  }
  const digests = {
    npm: used.has("sha512") ? `sha512-${hashes.sha512.digest("base64")}` : "",
    url: used.has("md5") ? `md5-${hashes.md5.digest("hex")}` : "",
  };
  const source = sources.find((one) => digests[one.kind] === hashOf(one));
  if (source) return { file, source, bytes, sha256: hashes.sha256.digest("hex") };
  const expected = sources.map((one) => `${describe(one)} of ${one.bytes} bytes with ${hashOf(one)}`);
  const got = Object.values(digests)
    .filter((digest) => digest !== "")
    .join(" and ");
  throw new EmbedError(
    "MODEL_CORRUPT",
    `${shown} has ${bytes} bytes with ${got}; expected ${[...new Set(expected)].join(", or ")}`,
  );
}

function describe(source: WeightsSource): string {
  return source.kind === "npm" ? `the tarball of ${nameSource(source)}` : sourceFileName(source);
}
