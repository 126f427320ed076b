import { createHash } from "node:crypto";
import { posix } from "node:path";
import { convertKeras } from "../../convert/convert-keras.ts";
import { canonicalJson, fingerprintVectorSpace } from "../../convert/fingerprint.ts";
import { readTfjsLayers } from "../../convert/keras-format/read-tfjs-layers.ts";
import type { NumberFormat } from "../../convert/variants/number-format.ts";
import type { ModelManifest, NpmModelSource } from "../../embed/model-manifest.ts";
import { labelOf } from "../../embed/pick-variant.ts";
import { EmbedError } from "../../errors.ts";
import type { ConvertibleManifest } from "./model-catalog.ts";
import { readTarball } from "./model-tarball.ts";

/** Plain data, so that it crosses threads. */
export interface ConvertJob {
  /** A tarball whose hash is right. */
  readonly file: string;
  readonly source: NpmModelSource;
  readonly manifest: ConvertibleManifest;
}

export interface PreparedModel {
  readonly onnx: Uint8Array<ArrayBuffer>;
  /** Hexadecimal. */
  readonly sha256: string;
  readonly fingerprint: string;
}

/**
 * Converts a checked tarball to ONNX, as its manifest says. The real ResNet50 takes about a second and 650 MB,
 * and holds its thread meanwhile: `model-convert-worker` gives it one of its own.
 * @throws EmbedError `MODEL_CORRUPT` if a file is missing from the tarball, or the result is not the one that
 *   the manifest knows; `CONVERT_UNSUPPORTED_LAYER`; `CONVERT_INVALID`
 */
export async function convertTarball({ file, source, manifest }: ConvertJob): Promise<PreparedModel> {
  const files = await readTarball(file, `${posix.dirname(source.path)}/`);
  const take = (name: string): Uint8Array => {
    const bytes = files.get(name);
    if (!bytes)
      throw new EmbedError("MODEL_CORRUPT", `${file}: there is no ${posix.dirname(source.path)}/${name}`);
    // Each is read once; letting go of it keeps the peak of memory down.
    files.delete(name);
    return bytes;
  };
  const topology: unknown = parseJson(file, take(posix.basename(source.path)));
  const model = await readTfjsLayers(topology, async (path) => take(path));
  const { width, height } = manifest.preprocess;
  const format = formatOf(manifest);
  const converted = convertKeras(model, {
    outputLayer: manifest.outputLayer,
    inputShape: [height, width, 3],
    format,
  });
  const hash = createHash("sha256");
  const fingerprint = fingerprintVectorSpace(
    model.weights,
    converted.usedWeights,
    { ...manifest, precision: precisionOf(format) },
    {
      update: (bytes) => void hash.update(bytes),
      digest: () => hash.digest(),
    },
  );
  const prepared = { onnx: converted.onnx, sha256: sha256Hex(converted.onnx), fingerprint };
  assertExpected(file, manifest, prepared, converted.dimension);
  return prepared;
}

function formatOf({ name, precision, int8Ranges }: ConvertibleManifest): NumberFormat {
  if (precision !== "int8") return { precision };
  if (int8Ranges) return { precision, ranges: int8Ranges };
  throw new EmbedError("CONFIG_INVALID", `model ${name}: expected ranges for its variant int8, got none`);
}

/** The precision of the fingerprint: int8 made with other ranges is another vector space. */
export function precisionOf(format: NumberFormat): string {
  if (format.precision !== "int8") return format.precision;
  return `int8 ${sha256Hex(new TextEncoder().encode(canonicalJson(format.ranges)))}`;
}

function assertExpected(file: string, manifest: ModelManifest, got: PreparedModel, dimension: number): void {
  const pairs = [
    ["dimension", manifest.identity.dimension, dimension],
    ["fingerprint", manifest.fingerprint, got.fingerprint],
    ["onnx.bytes", manifest.onnx.bytes, got.onnx.byteLength],
    ["onnx.sha256", manifest.onnx.sha256, got.sha256],
  ] as const;
  for (const [what, expected, actual] of pairs) {
    if (expected === actual) continue;
    throw new EmbedError(
      "MODEL_CORRUPT",
      `${file}, converted for model ${labelOf(manifest)}: the manifest expects ${what} ${expected}, got ${actual}`,
    );
  }
}

function parseJson(file: string, bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw new EmbedError("MODEL_CORRUPT", `${file}: its model.json is no JSON`, { cause });
  }
}

function sha256Hex(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
