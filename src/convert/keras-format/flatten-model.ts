import { invalidModel, unsupportedLayer } from "../convert-error.ts";
import type { KerasLayer, KerasTopology, TensorSource } from "./keras-model.ts";
import type { ModelEntry, ModelTree } from "./model-tree.ts";

/** Resolves what a model's layers take into the names of the flat topology. */
type Resolve = (source: TensorSource) => TensorSource;

/** A layer whose inputs can be told once all models were walked, since those behind it in the list are among them. */
type PendingLayer = () => KerasLayer;

/**
 * Takes the models inside a model apart: their layers, named `model/layer`, take directly what the model takes, and
 * those who take from it take from the layer that gives its output.
 * @throws EmbedError `CONVERT_INVALID`; `CONVERT_UNSUPPORTED_LAYER` for a model that is called twice, or that takes
 *   or gives several tensors
 */
export function flattenModel(tree: ModelTree): KerasTopology {
  const pending: PendingLayer[] = [];
  const resolve = addLayers(tree, "", [], pending);
  const layers = pending.map((layer) => layer());
  return { name: tree.name, layers, outputs: tree.outputs.map(resolve) };
}

/** The name of a model's layer in the flat topology; `scope` is empty for the outermost model. */
export function flatName(scope: string, name: string): string {
  return scope === "" ? name : `${scope}/${name}`;
}

/**
 * @param given for each of the model's inputs, what it is called on; an input without it stays an input layer
 */
function addLayers(
  tree: ModelTree,
  scope: string,
  given: readonly (() => TensorSource)[],
  pending: PendingLayer[],
): Resolve {
  const models = new Map<string, () => TensorSource>();
  const inputs = new Map(tree.inputs.flatMap((name, i) => (given[i] ? [[name, given[i]] as const] : [])));
  const resolve: Resolve = ({ layer, call }) => {
    const known = inputs.get(layer) ?? models.get(layer);
    return known ? known() : { layer: flatName(scope, layer), call };
  };
  for (const entry of tree.entries) {
    if (entry.model) {
      models.set(entry.name, addModel(entry, entry.model, scope, resolve, pending));
    } else if (!inputs.has(entry.name)) {
      const { className, config, numbers } = entry;
      const name = flatName(scope, entry.name);
      pending.push(() => {
        const calls = entry.calls.map((call) => call.map(resolve));
        return { name, className, config, calls, ...(numbers && { numbers }) };
      });
    }
  }
  return resolve;
}

function addModel(
  entry: ModelEntry,
  model: ModelTree,
  scope: string,
  resolve: Resolve,
  pending: PendingLayer[],
): () => TensorSource {
  const [call, ...others] = entry.calls;
  const inner = flatName(scope, entry.name);
  const at = { name: inner, className: entry.className };
  if (others.length > 0) {
    throw unsupportedLayer(at, `is a model that is called ${entry.calls.length} times; expected once`);
  }
  const [output] = model.outputs;
  if (model.outputs.length !== 1 || !output) {
    throw unsupportedLayer(at, `is a model with ${model.outputs.length} outputs; expected one`);
  }
  if (call && model.inputs.length > 0 && call.length !== model.inputs.length) {
    throw invalidModel(
      `layer "${inner}" (${entry.className}): is called on ${call.length} tensors, its model takes ${model.inputs.length}`,
    );
  }
  const given = (call ?? []).map((source) => () => resolve(source));
  const resolveInner = addLayers(model, inner, given, pending);
  let isOpen = false;
  return () => {
    // A model that gives what it takes, which is what it gives.
    if (isOpen) throw invalidModel(`layer "${inner}" depends on itself`);
    isOpen = true;
    try {
      return resolveInner(output);
    } finally {
      isOpen = false;
    }
  };
}
