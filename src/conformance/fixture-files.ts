import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { EmbedError } from "../errors.ts";

/** Pictures and vectors under fixtures/, read once. Paths are those under fixtures/images/. */
export interface FixtureFiles {
  hasImage(path: string): boolean;
  hasVector(path: string): boolean;
  /** @throws EmbedError `CONFIG_INVALID` if the file cannot be read */
  image(path: string): Uint8Array;
  /**
   * The vector that real Keras gives for the picture, (dimension) float32.
   * @throws EmbedError `CONFIG_INVALID` if the golden cannot be read or has another form
   */
  vector(path: string): Float32Array;
}

/** @param folder the path of fixtures/ */
export function openFixtureFiles(folder: string): FixtureFiles {
  const images = new Map<string, Uint8Array>();
  const vectors = new Map<string, Float32Array>();
  const imageFile = (path: string) => join(folder, "images", path);
  const vectorFile = (path: string) => join(folder, "golden", "embedding", `${path}.json`);
  return {
    hasImage: (path) => existsSync(imageFile(path)),
    hasVector: (path) => existsSync(vectorFile(path)),
    image: (path) => readOnce(images, path, () => readFileSync(imageFile(path))),
    vector: (path) =>
      readOnce(vectors, path, () =>
        parseVectorGolden(readFileSync(vectorFile(path), "utf8"), vectorFile(path)),
      ),
  };
}

/** @throws EmbedError `CONFIG_INVALID` if the text is not a golden of the known version */
function parseVectorGolden(text: string, file: string): Float32Array {
  const { golden, vector } = JSON.parse(text) as { golden?: unknown; vector?: unknown };
  if (golden !== "portico-embedding/1" || typeof vector !== "string") {
    throw new EmbedError(
      "CONFIG_INVALID",
      `${file}: expected {"golden": "portico-embedding/1", "vector": base64}, got golden ${JSON.stringify(golden)}; make it again with fixtures/generate.py`,
    );
  }
  const bytes = Buffer.from(vector, "base64");
  return Float32Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readFloatLE(index * 4));
}

function readOnce<T>(kept: Map<string, T>, path: string, read: () => T): T {
  const before = kept.get(path);
  if (before !== undefined) return before;
  try {
    const value = read();
    kept.set(path, value);
    return value;
  } catch (error) {
    if (error instanceof EmbedError) throw error;
    throw new EmbedError("CONFIG_INVALID", `the fixture ${path} cannot be read: ${String(error)}`, {
      cause: error,
    });
  }
}
