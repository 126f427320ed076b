import type { KerasLayer, KerasTopology, TensorSource } from "../keras-format/keras-model.ts";
import { callKey } from "../sort-calls.ts";

/** Layers on the way back from an output to the input, and which call of each. */
export interface Step {
  readonly layer: KerasLayer;
  readonly call: number;
}

/**
 * From an output back towards the input, while each layer takes one tensor: the output's own layer first. Ends before a
 * layer that is met again, so a hostile file cannot send it round in circles.
 */
export function walkBack(topology: KerasTopology, from: TensorSource): Generator<Step> {
  return walk(topology, from, (sources) => (sources.length === 1 ? sources[0] : undefined));
}

function* walk(
  topology: KerasTopology,
  from: TensorSource,
  choose: (sources: readonly TensorSource[]) => TensorSource | undefined,
): Generator<Step> {
  const layers = new Map(topology.layers.map((layer) => [layer.name, layer]));
  const seen = new Set<string>();
  let source: TensorSource | undefined = from;
  while (source && !seen.has(callKey(source))) {
    seen.add(callKey(source));
    const layer = layers.get(source.layer);
    if (!layer) return;
    yield { layer, call: source.call };
    source = choose(layer.calls[source.call] ?? []);
  }
}

/**
 * How many axes an output has beside the batch: 3 a picture, 1 a vector; undefined if the layers do not say. A layer
 * of several inputs, which is a sum, a product or a concatenation, has as many as the first of them.
 */
export function rankOf(topology: KerasTopology, from: TensorSource): number | undefined {
  for (const { layer } of walk(topology, from, ([first]) => first)) {
    const rank = ownRank(layer);
    if (rank !== undefined) return rank;
  }
  return undefined;
}

function ownRank({ className, config }: KerasLayer): number | undefined {
  if (className === "InputLayer") {
    const shape = config.batch_input_shape ?? config.batch_shape;
    return Array.isArray(shape) ? shape.length - 1 : undefined;
  }
  if (className === "Flatten") return 1;
  if (className === "Reshape")
    return Array.isArray(config.target_shape) ? config.target_shape.length : undefined;
  if (isGlobalPooling(className)) return config.keepdims === true ? 3 : 1;
  return undefined;
}

/** What a layer that pools a whole picture does, by its class. */
export const globalPoolings: ReadonlyMap<string, "avg" | "max"> = new Map([
  ["GlobalAveragePooling2D", "avg"],
  ["GlobalMaxPooling2D", "max"],
]);

function isGlobalPooling(className: string): boolean {
  return globalPoolings.has(className);
}
