import type { JsonObject } from "./json.ts";
import type { CallNumbers, LayerCall, TensorSource } from "./keras-model.ts";

/** A Keras model as its configuration has it: models may stand inside it, as layers do. */
export interface ModelTree {
  readonly name: string;
  readonly entries: readonly ModelEntry[];
  /** Names of its input layers, in the order of its inputs. */
  readonly inputs: readonly string[];
  readonly outputs: readonly TensorSource[];
}

export interface ModelEntry {
  readonly name: string;
  readonly className: string;
  /** Where Keras 3 finds the class; older files do not say. */
  readonly module: string | undefined;
  readonly config: JsonObject;
  /** One entry for each time that it is called, in terms of its siblings' names. */
  readonly calls: readonly LayerCall[];
  /** As `KerasLayer` has them. */
  readonly numbers?: readonly CallNumbers[];
  /** Where the entry is itself a model. */
  readonly model?: ModelTree;
}
