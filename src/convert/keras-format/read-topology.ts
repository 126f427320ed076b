import { invalidModel } from "../convert-error.ts";
import { isObject, type JsonObject, showJson } from "./json.ts";
import type { KerasLayer, KerasTopology } from "./keras-model.ts";
import { readCalls } from "./read-calls.ts";

/** `Model` is the name up to Keras 2.2, `Functional` the name since. */
const functionalClasses = ["Model", "Functional"];

/**
 * Reads the topology as Keras's `model.to_json()` gives it, bare or inside `model_config` as in files.
 * @throws EmbedError `CONVERT_INVALID`
 */
export function readTopology(json: unknown): KerasTopology {
  const model = isObject(json) && "model_config" in json ? json.model_config : json;
  if (!isObject(model) || typeof model.class_name !== "string" || !isObject(model.config)) {
    throw invalidModel(`topology: expected an object with class_name and config, got ${showJson(model)}`);
  }
  if (!functionalClasses.includes(model.class_name)) {
    throw invalidModel(
      `topology: expected a model of class ${functionalClasses.join(" or ")}, got ${showJson(model.class_name)}`,
    );
  }
  const { name, layers } = model.config;
  if (!Array.isArray(layers))
    throw invalidModel(`topology: expected a list of layers, got ${showJson(layers)}`);
  return { name: typeof name === "string" ? name : "model", layers: layers.map(readLayer) };
}

function readLayer(layer: unknown, index: number): KerasLayer {
  if (!isObject(layer) || typeof layer.class_name !== "string" || !isObject(layer.config)) {
    throw invalidModel(
      `topology: expected layer ${index} to have class_name and config, got ${showJson(layer)}`,
    );
  }
  const name = readLayerName(layer, layer.config, index);
  return {
    name,
    className: layer.class_name,
    config: layer.config,
    calls: readCalls(name, layer.inbound_nodes),
  };
}

function readLayerName(layer: JsonObject, config: JsonObject, index: number): string {
  const name = layer.name ?? config.name;
  if (typeof name !== "string" || name === "") {
    throw invalidModel(`topology: expected layer ${index} to have a name, got ${showJson(name)}`);
  }
  return name;
}
