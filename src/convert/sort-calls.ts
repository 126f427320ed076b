import { invalidModel } from "./convert-error.ts";
import type { KerasLayer, KerasTopology, TensorSource } from "./keras-format/keras-model.ts";

/** One call of a layer, with what it is called on. */
export interface SortedCall {
  readonly layer: KerasLayer;
  readonly call: number;
  readonly sources: readonly TensorSource[];
}

/** One key for each call of each layer, whatever the layers are named. */
export function callKey({ layer, call }: TensorSource): string {
  return `${layer}:${call}`;
}

/** The call of `outputLayer` that gives the model's own output; of any other layer the first. */
export function findOutput({ outputs }: KerasTopology, outputLayer: string): TensorSource {
  return outputs.find(({ layer }) => layer === outputLayer) ?? { layer: outputLayer, call: 0 };
}

/**
 * The calls that the output of `outputLayer` depends on, each behind those that it takes from; layers behind
 * the output are left out. The order follows from the file alone, so conversion is deterministic.
 * @throws EmbedError `CONVERT_INVALID` if a layer is missing, named twice, or depends on itself
 */
export function sortCalls(topology: KerasTopology, outputLayer: string): readonly SortedCall[] {
  const layers = indexLayers(topology);
  const sorted: SortedCall[] = [];
  const state = new Map<string, "open" | "done">();
  // An own stack: a hostile file may be deeper than the engine's.
  const stack: TensorSource[] = [findOutput(topology, outputLayer)];
  while (stack.length > 0) {
    const source = stack.at(-1)!;
    const key = callKey(source);
    if (state.get(key) === "done") {
      stack.pop();
      continue;
    }
    const call = openCall(layers, source);
    if (state.get(key) === "open") {
      stack.pop();
      state.set(key, "done");
      sorted.push(call);
      continue;
    }
    state.set(key, "open");
    // Reversed, so that the first source is the first to be sorted.
    for (const next of call.sources.toReversed()) {
      if (state.get(callKey(next)) === "open") throw invalidModel(`layer "${next.layer}" depends on itself`);
      stack.push(next);
    }
  }
  return sorted;
}

function indexLayers(topology: KerasTopology): ReadonlyMap<string, KerasLayer> {
  const layers = new Map<string, KerasLayer>();
  for (const layer of topology.layers) {
    if (layers.has(layer.name)) throw invalidModel(`topology: two layers are named "${layer.name}"`);
    layers.set(layer.name, layer);
  }
  return layers;
}

function openCall(layers: ReadonlyMap<string, KerasLayer>, source: TensorSource): SortedCall {
  const layer = layers.get(source.layer);
  if (!layer) throw invalidModel(`topology: there is no layer "${source.layer}"`);
  if (layer.className === "InputLayer" && source.call === 0) return { layer, call: 0, sources: [] };
  const sources = layer.calls[source.call];
  if (!sources || sources.length === 0) {
    throw invalidModel(`layer "${layer.name}" (${layer.className}) has no call ${source.call} with inputs`);
  }
  return { layer, call: source.call, sources };
}
