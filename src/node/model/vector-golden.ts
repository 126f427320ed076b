import { readdir, readFile } from "node:fs/promises";
import type { SelfCheck } from "../../embed/self-check.ts";
import { EmbedError } from "../../errors.ts";
import { packageFile } from "../package-file.ts";

/**
 * Reads a picture of fixtures/images and the vector that real Keras gives for it.
 * @param image path below fixtures/images, for example `photo/locomotion-house-cat.jpg`
 * @throws EmbedError `CONFIG_INVALID` if either file is missing or not of the known form
 */
export async function readVectorGolden(image: string): Promise<SelfCheck> {
  const goldenPath = packageFile(`fixtures/golden/embedding/${image}.json`);
  try {
    const [bytes, text] = await Promise.all([
      readFile(packageFile(`fixtures/images/${image}`)),
      readFile(goldenPath, "utf8"),
    ]);
    const golden = JSON.parse(text) as { golden?: unknown; vector?: unknown; tolerance?: unknown };
    if (
      golden.golden !== "portico-embedding/1" ||
      typeof golden.vector !== "string" ||
      typeof golden.tolerance !== "number"
    ) {
      throw new TypeError(
        'expected {"golden": "portico-embedding/1", "vector": base64, "tolerance": number}',
      );
    }
    return { name: image, bytes, vector: float32FromBase64(golden.vector), tolerance: golden.tolerance };
  } catch (cause) {
    throw new EmbedError("CONFIG_INVALID", `cannot read the golden ${goldenPath}: ${String(cause)}`, {
      cause,
    });
  }
}

/** Little-endian float32, whatever the order of this machine. */
function float32FromBase64(text: string): Float32Array {
  const bytes = Buffer.from(text, "base64");
  return Float32Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readFloatLE(index * 4));
}

/** Paths below fixtures/images of every picture that lies there and whose vector is known, sorted. */
export async function listVectorGoldens(): Promise<string[]> {
  const [goldens, images] = await Promise.all([
    readdir(packageFile("fixtures/golden/embedding"), { recursive: true }),
    // The package ships the goldens of every fixture, but only two photographs.
    readdir(packageFile("fixtures/images"), { recursive: true }),
  ]);
  const known = new Set(goldens);
  return images
    .filter((image) => known.has(`${image}.json`))
    .map((image) => image.replaceAll("\\", "/"))
    .sort();
}
