import { invalidModel } from "../convert-error.ts";
import { isObject, type JsonObject, showJson } from "./json.ts";
import type { LayerCall, TensorSource } from "./keras-model.ts";
import type { ModelEntry, ModelTree } from "./model-tree.ts";
import { readCalls, readNumbers, readSource } from "./read-calls.ts";

/** `Model` is the name up to Keras 2.2, `Functional` the name since. */
const functionalClasses = ["Model", "Functional"];
const sequentialClass = "Sequential";
const modelClasses = [...functionalClasses, sequentialClass];

/** What Keras 2 makes of an operation of TensorFlow; `function` of its config says which. */
const tfOperation = "TFOpLambda";

/** Models inside models: a fine-tuned network has one or two levels. */
const maxModelDepth = 8;

/** The most layers of one model, those of models inside it included; NASNetLarge has 1040. */
export const maxLayers = 20_000;

/** The most models inside a model, all levels together. */
const maxModels = 256;

/** Counts over the whole tree. */
interface Count {
  layers: number;
  models: number;
}

/**
 * Reads a topology as Keras's `model.to_json()` gives it, bare or inside `model_config` as in files.
 * @throws EmbedError `CONVERT_INVALID`
 */
export function readModelTree(json: unknown): ModelTree {
  const model = isObject(json) && "model_config" in json ? json.model_config : json;
  return readModel(model, 1, { layers: 0, models: 0 });
}

function readModel(model: unknown, depth: number, count: Count): ModelTree {
  if (!isObject(model) || typeof model.class_name !== "string" || !hasConfig(model)) {
    throw invalidModel(`topology: expected an object with class_name and config, got ${showJson(model)}`);
  }
  if (!modelClasses.includes(model.class_name)) {
    throw invalidModel(
      `topology: expected a model of class Model, Functional or Sequential, got ${showJson(model.class_name)}`,
    );
  }
  count.models++;
  if (depth > maxModelDepth || count.models > maxModels) {
    throw invalidModel(
      `topology: expected at most ${maxModels} models inside models, ${maxModelDepth} deep at most`,
    );
  }
  // Keras up to 2.2.2 has the bare list of layers as the config of a sequential model.
  const config: JsonObject = isObject(model.config) ? model.config : { layers: model.config };
  if (!Array.isArray(config.layers)) {
    throw invalidModel(`topology: expected a list of layers, got ${showJson(config.layers)}`);
  }
  count.layers += config.layers.length;
  if (count.layers > maxLayers) {
    throw invalidModel(`topology: expected at most ${maxLayers} layers, got ${count.layers} or more`);
  }
  const name = typeof config.name === "string" ? config.name : "model";
  return functionalClasses.includes(model.class_name)
    ? readFunctional(name, config, config.layers, depth, count)
    : readSequential(name, config.layers, depth, count);
}

function readFunctional(
  name: string,
  config: JsonObject,
  layers: readonly unknown[],
  depth: number,
  count: Count,
): ModelTree {
  const entries = layers.map((layer, index) => {
    const entry = readEntry(layer, index, depth, count);
    const { inbound_nodes } = layer as JsonObject;
    const calls = readCalls(entry.name, inbound_nodes);
    const numbers = readNumbers(inbound_nodes as readonly unknown[]);
    if (!numbers) return { ...entry, calls };
    // Keras 3 names operations like layers; with a number among its arguments, it can only be an operation.
    const className = entry.className === tfOperation ? tfOperation : `ops.${entry.className}`;
    return { ...entry, className, calls, numbers };
  });
  return {
    name,
    entries,
    inputs: readSources(name, config.input_layers).map((source) => source.layer),
    outputs: readSources(name, config.output_layers),
  };
}

/** Each layer takes what the one before it gives. The first brings the input's shape where no input layer does. */
function readSequential(name: string, layers: readonly unknown[], depth: number, count: Count): ModelTree {
  const read = layers.map((layer, index) => readEntry(layer, index, depth, count));
  const first = read[0];
  const entries: ModelEntry[] = [];
  if (first && first.className !== "InputLayer" && !first.model) {
    const { batch_input_shape, batch_shape } = first.config;
    const config = { batch_input_shape: batch_input_shape ?? batch_shape };
    const input = { className: "InputLayer", module: undefined, config, calls: [] };
    entries.push({ ...input, name: `${first.name}_input` });
  }
  for (const entry of read) {
    const before = entries.at(-1);
    const calls: LayerCall[] = before ? [[{ layer: before.name, call: 0 }]] : [];
    entries.push({ ...entry, calls });
  }
  const [input, last] = [entries[0], entries.at(-1)];
  return {
    name,
    entries,
    inputs: input?.className === "InputLayer" ? [input.name] : [],
    outputs: last ? [{ layer: last.name, call: 0 }] : [],
  };
}

function readEntry(layer: unknown, index: number, depth: number, count: Count): ModelEntry {
  if (!isObject(layer) || typeof layer.class_name !== "string" || !hasConfig(layer)) {
    throw invalidModel(
      `topology: expected layer ${index} to have class_name and config, got ${showJson(layer)}`,
    );
  }
  const { class_name: className, config, module } = layer;
  const model = modelClasses.includes(className) ? readModel(layer, depth + 1, count) : undefined;
  const own = isObject(config) ? config : {};
  const name = layer.name ?? own.name;
  if (typeof name !== "string" || name === "") {
    throw invalidModel(`topology: expected layer ${index} to have a name, got ${showJson(name)}`);
  }
  return {
    name,
    className,
    module: typeof module === "string" ? module : undefined,
    config: own,
    calls: [],
    ...(model && { model }),
  };
}

/** A layer's config is an object; only a sequential model's may be a list. */
function hasConfig(
  model: JsonObject,
): model is JsonObject & { readonly config: JsonObject | readonly unknown[] } {
  return isObject(model.config) || (model.class_name === sequentialClass && Array.isArray(model.config));
}

/** One source, or a list of them. */
function readSources(model: string, json: unknown): readonly TensorSource[] {
  if (json === undefined) return [];
  const isOne = Array.isArray(json) && typeof json[0] === "string";
  if (!isOne && !Array.isArray(json)) return [readSource(model, json)];
  return (isOne ? [json] : (json as readonly unknown[])).map((source) => readSource(model, source));
}
