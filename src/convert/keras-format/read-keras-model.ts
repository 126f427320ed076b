import { EmbedError } from "../../errors.ts";
import { invalidModel } from "../convert-error.ts";
import { isHdf5 } from "../hdf5/h5wasm-file.ts";
import { type Hdf5File, type OpenHdf5, useHdf5 } from "../hdf5/hdf5-file.ts";
import { isZip } from "../zip/read-zip.ts";
import { findCode } from "./find-code.ts";
import { flattenModel } from "./flatten-model.ts";
import type { KerasModel, KerasWeights } from "./keras-model.ts";
import type { ModelTree } from "./model-tree.ts";
import { parseModelJson } from "./parse-model-json.ts";
import { readKerasZip } from "./read-keras-zip.ts";
import { readModelTree } from "./read-model-tree.ts";
import { readTfjsLayers } from "./read-tfjs-layers.ts";
import { type LayerNames, readWeightGroups } from "./read-weight-groups.ts";
import { readWeightVars } from "./read-weight-vars.ts";

/** Where a Keras model's files come from; the abilities are injected. */
export interface KerasSource {
  /** A `.keras`, a `.h5`, or the `model.json` of TensorFlow.js. Its first bytes decide, not its name. */
  readonly file: string;
  /** For a `.h5` that holds weights alone: a file with the topology, as `model.to_json()` gives it. */
  readonly topology?: string;
  /** For such a file: the topology's names of layers by the file's, where they differ. */
  readonly layerNames?: LayerNames;
  /** The bytes of a file, by `file`, by `topology`, or by a path beside `file` that holds no `..`. */
  readonly read: (path: string) => Promise<Uint8Array<ArrayBuffer>>;
  /** Asked for only where there is HDF5 to be read. */
  readonly loadHdf5: () => Promise<OpenHdf5>;
}

/** The brace of an object, or white space before it. */
const jsonStarts: ReadonlySet<number> = new Set(new TextEncoder().encode("{ \t\r\n"));

export type KerasFormat = "keras-3" | "keras-h5" | "keras-h5-weights" | "tfjs-layers";

export interface ReadKerasModel extends KerasModel {
  readonly format: KerasFormat;
  /** What of the file Keras itself might run, for a message; see `findCode`. */
  readonly code: string | undefined;
}

/** Whether a file may be a Keras model, told by its first 16 bytes. */
export function isKerasFile(bytes: Uint8Array): boolean {
  return isHdf5(bytes) || isZip(bytes) || isJson(bytes);
}

/** Whether a file may be JSON, told by its first byte. */
export function isJson([first]: Uint8Array): boolean {
  return first !== undefined && jsonStarts.has(first);
}

/**
 * Reads a Keras model in any of its formats: the same model gives the same topology and the same weights by name.
 * Code that a file may hold, such as that of a Lambda layer, is never run. A stranger's HDF5 is read by a library in
 * WebAssembly, so read it in a thread that can be ended.
 * @throws EmbedError `CONVERT_INVALID`, `CONVERT_UNSUPPORTED_LAYER`; and whatever `read` and `loadHdf5` throw
 */
export async function readKerasModel(source: KerasSource): Promise<ReadKerasModel> {
  const bytes = await source.read(source.file);
  try {
    return await readFormat(source, bytes);
  } catch (error) {
    // A file that is built to be deep or contradictory may make anything of the above stumble.
    if (!(error instanceof EmbedError)) {
      throw invalidModel(`${source.file} cannot be read: ${(error as Error).message}`, error);
    }
    if (!error.reason.startsWith("CONVERT_")) throw error;
    throw new EmbedError(error.reason, `${source.file}: ${error.message}`, { cause: error.cause });
  }
}

async function readFormat(source: KerasSource, bytes: Uint8Array<ArrayBuffer>): Promise<ReadKerasModel> {
  const { topology } = source;
  if (isHdf5(bytes)) {
    return useHdf5(await source.loadHdf5(), bytes, (hdf5) => readHdf5(source, hdf5));
  }
  if (topology !== undefined) throw invalidModel("is no .h5; a topology goes with weights in HDF5");
  if (isZip(bytes)) return { format: "keras-3", ...(await readKerasZip(bytes, source.loadHdf5)) };
  if (isJson(bytes)) {
    const json = parseModelJson("JSON", bytes);
    return { format: "tfjs-layers", ...(await readTfjsLayers(json, source.read)) };
  }
  throw invalidModel(
    `expected a .keras, a .h5 or the model.json of TensorFlow.js, got ${bytes.length} bytes that are none of them`,
  );
}

async function readHdf5(source: KerasSource, hdf5: Hdf5File): Promise<ReadKerasModel> {
  const { topology } = source;
  const [config] = hdf5.readTexts("/", "model_config") ?? [];
  if (config !== undefined) {
    if (topology !== undefined) throw invalidModel("has a topology of its own; give it alone");
    const json = parseModelJson("model_config", new TextEncoder().encode(config));
    const tree = readModelTree(json);
    return toModel("keras-h5", json, tree, readWeightGroups(hdf5, "/model_weights", tree));
  }
  if (topology === undefined) {
    throw invalidModel(
      "holds weights alone; give its topology too, as the JSON that model.to_json() returns",
    );
  }
  const json = parseModelJson(topology, await source.read(topology));
  const tree = readModelTree(json);
  const weights = readWeightVars(hdf5, tree) ?? readWeightGroups(hdf5, "/", tree, source.layerNames);
  return toModel("keras-h5-weights", json, tree, weights);
}

function toModel(format: KerasFormat, json: unknown, tree: ModelTree, weights: KerasWeights): ReadKerasModel {
  const topology = flattenModel(tree);
  return { format, topology, weights, code: findCode(json, topology) };
}
