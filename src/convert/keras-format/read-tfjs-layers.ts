import { invalidModel } from "../convert-error.ts";
import { findCode } from "./find-code.ts";
import { findLayer } from "./find-layer.ts";
import { flattenModel } from "./flatten-model.ts";
import { isCountList, isObject, type JsonObject, showJson } from "./json.ts";
import type { WeightTensor } from "./keras-model.ts";
import { variableOf } from "./layer-variables.ts";
import type { ReadKerasModel } from "./read-keras-model.ts";
import { readModelTree } from "./read-model-tree.ts";
import { parseWeightName } from "./variable-names.ts";

/** Gives the bytes of a weight shard, by its path beside `model.json`. */
type ReadShard = (path: string) => Promise<Uint8Array>;

const bytesPerFloat32 = 4;

/** The most bytes of a group of weights, all shards together: as many as an ONNX model may have. */
const maxGroupBytes = 2 ** 31 - 1;

/**
 * Reads TensorFlow.js's layers format: a parsed `model.json` and its shards, which joined hold the weights
 * one after another in the manifest's order, little-endian.
 * @throws EmbedError `CONVERT_INVALID`; and whatever `readShard` throws
 */
export async function readTfjsLayers(
  modelJson: unknown,
  readShard: ReadShard,
): Promise<Omit<ReadKerasModel, "format">> {
  if (!isObject(modelJson) || modelJson.format !== "layers-model") {
    if (isObject(modelJson) && (modelJson.class_name ?? modelJson.model_config) !== undefined) {
      throw invalidModel(
        "holds a topology alone, as model.to_json() returns it; import the .h5 with its weights, and give this file as --topology",
      );
    }
    const got = isObject(modelJson) ? modelJson.format : modelJson;
    throw invalidModel(`model.json: expected format "layers-model", got ${showJson(got)}`);
  }
  const tree = readModelTree(modelJson.modelTopology);
  if (modelJson.weightsManifest === undefined) {
    throw invalidModel(
      "model.json: has a topology and no weightsManifest; expected the model as TensorFlow.js saves it, with its weights",
    );
  }
  if (!Array.isArray(modelJson.weightsManifest)) {
    throw invalidModel(
      `model.json: expected a weightsManifest list, got ${showJson(modelJson.weightsManifest)}`,
    );
  }
  const weights = new Map<string, WeightTensor>();
  for (const group of modelJson.weightsManifest as readonly unknown[]) {
    if (!isObject(group) || !isStringList(group.paths) || !Array.isArray(group.weights)) {
      throw invalidModel(
        `model.json: expected a weight group with paths and weights, got ${showJson(group)}`,
      );
    }
    const specs = (group.weights as readonly unknown[]).map(readSpec);
    const values = await joinShards(group.paths, specs, readShard);
    let start = 0;
    for (const { name: listed, shape, count } of specs) {
      const { prefix, variable } = parseWeightName(listed);
      const layer = findLayer(tree, "", prefix, `model.json: weight "${listed}"`);
      const name = `${layer.name}/${variableOf(layer.className, variable)}`;
      if (weights.has(name)) throw invalidModel(`model.json: weight "${listed}" is listed twice`);
      weights.set(name, { shape, data: values.subarray(start, start + count) });
      start += count;
    }
  }
  const topology = flattenModel(tree);
  return { topology, weights, code: findCode(modelJson.modelTopology, topology) };
}

interface WeightSpec {
  readonly name: string;
  readonly shape: readonly number[];
  readonly count: number;
}

function readSpec(spec: unknown): WeightSpec {
  if (!isObject(spec) || typeof spec.name !== "string" || !isCountList(spec.shape)) {
    throw invalidModel(`model.json: expected a weight with name and shape, got ${showJson(spec)}`);
  }
  refuseOtherTypes(spec.name, spec);
  return { name: spec.name, shape: spec.shape, count: spec.shape.reduce((a, b) => a * b, 1) };
}

function refuseOtherTypes(name: string, spec: JsonObject): void {
  if (spec.dtype !== "float32" || spec.quantization !== undefined) {
    const got = spec.quantization === undefined ? showJson(spec.dtype) : "a quantised tensor";
    throw invalidModel(`model.json: weight "${name}": expected dtype "float32", got ${got}`);
  }
}

/** One buffer for the whole group, so that a weight that straddles two shards needs no special case. */
async function joinShards(
  paths: readonly string[],
  specs: readonly WeightSpec[],
  readShard: ReadShard,
): Promise<Float32Array> {
  const totalBytes = specs.reduce((sum, spec) => sum + spec.count, 0) * bytesPerFloat32;
  const shards: Uint8Array[] = [];
  let gotBytes = 0;
  for (const path of paths) {
    if (!isBeside(path)) {
      throw invalidModel(`model.json: expected paths of files beside it, got ${showJson(path)}`);
    }
    const shard = await readShard(path);
    shards.push(shard);
    gotBytes += shard.byteLength;
    // One shard may be listed a thousand times.
    if (gotBytes > Math.min(totalBytes, maxGroupBytes)) break;
  }
  // Before any memory is taken: shapes may claim anything.
  if (gotBytes !== totalBytes) {
    const isMore = shards.length < paths.length ? ", or more" : "";
    throw invalidModel(`model.json: weights take ${totalBytes} bytes, the shards hold ${gotBytes}${isMore}`);
  }
  if (totalBytes > maxGroupBytes) {
    throw invalidModel(`model.json: expected weights of at most ${maxGroupBytes} bytes, got ${totalBytes}`);
  }
  const joined = new Uint8Array(totalBytes);
  let offset = 0;
  for (const shard of shards) {
    joined.set(shard, offset);
    offset += shard.byteLength;
  }
  return float32FromLittleEndian(joined);
}

/** Every host of Portico is little-endian, so the bytes are the floats. */
function float32FromLittleEndian(bytes: Uint8Array<ArrayBuffer>): Float32Array {
  return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / bytesPerFloat32);
}

/** A name, or names of folders and a name: nothing that leads elsewhere, on any system. */
function isBeside(path: string): boolean {
  return path.split("/").every((part) => !["", ".", ".."].includes(part)) && !/[\\:\0]/.test(path);
}

function isStringList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}
