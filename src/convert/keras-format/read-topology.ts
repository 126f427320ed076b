import { flattenModel } from "./flatten-model.ts";
import type { KerasTopology } from "./keras-model.ts";
import { readModelTree } from "./read-model-tree.ts";

/**
 * Reads a topology as Keras's `model.to_json()` gives it, of Keras 2 or 3, functional or sequential, bare or inside
 * `model_config` as in files. Models inside it are taken apart.
 * @throws EmbedError `CONVERT_INVALID`, `CONVERT_UNSUPPORTED_LAYER`
 */
export function readTopology(json: unknown): KerasTopology {
  return flattenModel(readModelTree(json));
}
