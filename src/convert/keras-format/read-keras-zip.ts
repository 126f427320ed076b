import { invalidModel } from "../convert-error.ts";
import { type OpenHdf5, useHdf5 } from "../hdf5/hdf5-file.ts";
import { listZip, readZipEntry } from "../zip/read-zip.ts";
import { findCode } from "./find-code.ts";
import { flattenModel } from "./flatten-model.ts";
import { maxJsonBytes, parseModelJson } from "./parse-model-json.ts";
import type { ReadKerasModel } from "./read-keras-model.ts";
import { readModelTree } from "./read-model-tree.ts";
import { readWeightVars } from "./read-weight-vars.ts";

const configName = "config.json";
const weightsName = "model.weights.h5";

/**
 * Keras stores its files as they are. One that was compressed afterwards may grow by this factor at most: weights
 * hardly shrink, so more is a bomb.
 */
const maxWeightsGrowth = 10;

/**
 * Reads a `.keras` archive of Keras 3, or of Keras 2.12 and later (keras/src/saving/saving_lib.py).
 * @throws EmbedError `CONVERT_INVALID`, `CONVERT_UNSUPPORTED_LAYER`; and whatever `loadHdf5` throws
 */
export async function readKerasZip(
  bytes: Uint8Array<ArrayBuffer>,
  loadHdf5: () => Promise<OpenHdf5>,
): Promise<Omit<ReadKerasModel, "format">> {
  const entries = listZip(bytes);
  const take = async (name: string, maxBytes: number) => {
    const entry = entries.get(name);
    if (!entry) throw invalidModel(`zip archive: expected a .keras file with ${name}, got none`);
    return readZipEntry(bytes, entry, maxBytes);
  };
  const config = await take(configName, maxJsonBytes);
  const json = parseModelJson(configName, config);
  const tree = readModelTree(json);
  const hdf5Bytes = await take(weightsName, maxWeightsGrowth * bytes.length);
  return useHdf5(await loadHdf5(), hdf5Bytes, (hdf5) => {
    const weights = readWeightVars(hdf5, tree);
    if (!weights) throw invalidModel(`${weightsName}: expected a group layers, got none`);
    const topology = flattenModel(tree);
    return { topology, weights, code: findCode(json, topology) };
  });
}
