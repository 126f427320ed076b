import { layerTable } from "../layers/layer-table.ts";
import { tfFunctions } from "../layers/number-operation.ts";
import { isObject, showJson } from "./json.ts";
import type { KerasTopology } from "./keras-model.ts";

/** Where Keras finds its own classes; it imports whatever other module a file names. */
const kerasModule = /^(tf_|tensorflow\.|tensorflow\.python\.)?keras(\.|$)/;

/** Classes of Keras, and forms of its files, that are code of the file or functions by their name. */
const codeClass = /lambda|^function$/i;

/**
 * Looks for what Keras might run when it loads a model, wherever that stands: beside the path to the output, in a layer's
 * settings. Only this program's own reader takes no notice of it.
 * @param json the topology as the file has it, of at most 100 levels
 * @returns what it is, for a message; undefined if there is nothing
 */
export function findCode(json: unknown, { layers }: KerasTopology): string | undefined {
  for (const { name, className, config } of layers) {
    const isKnown = className === "InputLayer" || layerTable.has(className);
    const isFunction = className === "TFOpLambda" && !tfFunctions.has(String(config.function));
    if (!isKnown || isFunction) return `layer ${showJson(name)} (${className})`;
  }
  return findIn(json);
}

function findIn(json: unknown): string | undefined {
  if (typeof json !== "object" || json === null) return undefined;
  if (isObject(json)) {
    const { class_name, module } = json;
    if (typeof class_name === "string" && class_name !== "TFOpLambda" && codeClass.test(class_name)) {
      return `an object of class ${showJson(class_name)}`;
    }
    if (typeof module === "string" && !kerasModule.test(module)) return `the module ${showJson(module)}`;
  }
  for (const value of Object.values(json)) {
    const found = findIn(value);
    if (found !== undefined) return found;
  }
  return undefined;
}
