import { formatShape, invalidModel, unsupportedLayer } from "./convert-error.ts";
import { type Constant, type Graph, type GraphNode, ints, isSameConstant } from "./graph.ts";
import type { KerasModel } from "./keras-format/keras-model.ts";
import type { KerasVersion, LayerContext, TensorRef } from "./layer-handler.ts";
import { groupWeightNames, openLayerWeights } from "./layer-weights.ts";
import { findHandler } from "./layers/find-handler.ts";
import { readInputShape, readKerasVersion } from "./layers/input-layer.ts";
import { callKey, findOutput, type SortedCall, sortCalls } from "./sort-calls.ts";

/**
 * The most values of one tensor of one picture: 512 MiB. The largest of a network of Keras's own at its own size has
 * 21 million.
 */
export const maxTensorValues = 2 ** 27;

/** The most values of a network's constants that no weight gives: 64 MiB. A normalisation's may be thrice its weights. */
export const maxFreeValues = 2 ** 24;

/** The most constants of one name that the calls of one layer may need, for different shapes or numbers. */
const maxConstantForms = 256;

/** The most inputs of one call. The largest concatenation of Keras's own networks has 6. */
export const maxCallInputs = 1_000;

/** The most nodes of a network. The largest of Keras's own, EfficientNetV2L, has some 3,000. */
export const maxNodes = 50_000;

/** The name of the model's input tensor. */
const inputName = "input";

interface BuiltGraph {
  readonly graph: Graph;
  /** Names of the source weights that the output depends on, in the order of first use. */
  readonly usedWeights: readonly string[];
}

/** What is done with an output that is still a picture; `none` flattens it as Keras's `Flatten` does. */
export type Pooling = "avg" | "max" | "none";

/**
 * Walks from the input to `outputLayer` and lets each layer's handler add its nodes. The graph takes
 * (N, ...inputShape) as Keras does, works in (N, channels, height, width), and gives (N, dimension).
 * @throws EmbedError `CONVERT_UNSUPPORTED_LAYER` or `CONVERT_INVALID`
 */
export function buildGraph(
  model: KerasModel,
  outputLayer: string,
  inputShape: readonly number[],
  pooling: Pooling = "none",
): BuiltGraph {
  const nodes: GraphNode[] = [];
  const names = new Set<string>();
  const lastNumbers = new Map<string, number>();
  const constants = new Map<string, Constant>();
  const usedWeights = new Set<string>();
  const weightNames = groupWeightNames(model.weights);
  const tensors = new Map<string, TensorRef>();
  let input: { readonly layer: string; readonly shape: readonly number[] } | undefined;
  let kerasVersion: KerasVersion | undefined;

  const addNode = (scope: string, ...[op, inputs, attributes = {}]: Parameters<LayerContext["node"]>) => {
    // Nodes of one operator in one call, for example the Adds of three tensors, are told apart by number.
    const base = `${scope}/${op}`;
    let output = base;
    let number = lastNumbers.get(base) ?? 1;
    while (names.has(output)) output = `${base}_${++number}`;
    lastNumbers.set(base, number);
    names.add(output);
    if (nodes.length === maxNodes) throw invalidModel(`"${scope}": expected at most ${maxNodes} nodes`);
    nodes.push({ op, inputs, output, attributes });
    return output;
  };

  let free = maxFreeValues + 3 * countValues(model.weights);
  /** A layer that is called on different shapes may need different constants of one name. */
  const addConstant = (base: string, constant: Constant): string => {
    for (let number = 1; number <= maxConstantForms; number++) {
      const name = number === 1 ? base : `${base}_${number}`;
      const known = constants.get(name);
      if (known && isSameConstant(known, constant)) return name;
      if (known) continue;
      free -= constant.data.length;
      if (free < 0) throw invalidModel(`"${base}": the network has too many numbers that are no weights`);
      constants.set(name, constant);
      return name;
    }
    throw invalidModel(`"${base}": expected calls of one layer to need at most ${maxConstantForms} of them`);
  };

  const addLayer = (call: SortedCall, scope: string): TensorRef => {
    const { layer } = call;
    const handler = findHandler(layer);
    if (call.sources.length > maxCallInputs) {
      throw invalidModel(
        `layer "${layer.name}" (${layer.className}): expected at most ${maxCallInputs} inputs, got ${call.sources.length}`,
      );
    }
    const weights = openLayerWeights(layer, model.weights, weightNames.get(layer.name) ?? [], usedWeights);
    const output = handler({
      layer,
      inputs: call.sources.map((source) => tensors.get(callKey(source))!),
      numbers: layer.numbers?.[call.call] ?? {},
      kerasVersion,
      weight: weights.take,
      constant: (variable, constant) => addConstant(`${layer.name}/${variable}`, constant),
      node: (...node) => addNode(scope, ...node),
    });
    weights.assertAllTaken();
    if (output.shape.some((size) => size < 1)) {
      throw invalidModel(
        `layer "${layer.name}" (${layer.className}): its output would be ${formatShape(output.shape)}; the input is too small`,
      );
    }
    if (sizeOf(output.shape) > maxTensorValues) {
      throw invalidModel(
        `layer "${layer.name}" (${layer.className}): its output would be ${formatShape(output.shape)}; expected at most ${maxTensorValues} values`,
      );
    }
    return output;
  };

  for (const call of sortCalls(model.topology, outputLayer)) {
    const layer = call.layer.name;
    const key = callKey({ layer, call: call.call });
    const scope = call.call === 0 ? layer : key;
    if (call.layer.className === "InputLayer") {
      if (input)
        throw unsupportedLayer(call.layer, `is a second input beside "${input.layer}"; expected one`);
      input = { layer, shape: readInputShape(call.layer, inputShape) };
      kerasVersion = readKerasVersion(call.layer);
      const { shape } = input;
      const isImage = shape.length === 3;
      const name = isImage
        ? addNode(scope, "Transpose", [inputName], { perm: ints([0, 3, 1, 2]) })
        : inputName;
      tensors.set(key, { name, shape });
    } else {
      tensors.set(key, addLayer(call, scope));
    }
  }
  if (!input) throw invalidModel(`layer "${outputLayer}" depends on no input layer`);

  const last = tensors.get(callKey(findOutput(model.topology, outputLayer)))!;
  const vector =
    last.shape.length === 1 ? last : addTail(last, pooling, (...node) => addNode("output", ...node));
  const graph = {
    input: { name: inputName, shape: input.shape },
    output: { name: vector.name, dimension: sizeOf(vector.shape) },
    nodes,
    constants,
  };
  return { graph, usedWeights: [...usedWeights] };
}

const sizeOf = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

/** From a picture to (N, dimension). */
function addTail({ name, shape }: TensorRef, pooling: Pooling, node: LayerContext["node"]): TensorRef {
  if (pooling === "none") {
    const channelsLast = node("Transpose", [name], { perm: ints([0, 2, 3, 1]) });
    return { name: node("Flatten", [channelsLast]), shape: [sizeOf(shape)] };
  }
  const pooled = node(pooling === "avg" ? "GlobalAveragePool" : "GlobalMaxPool", [name]);
  return { name: node("Flatten", [pooled]), shape: shape.slice(2) };
}

function countValues(weights: KerasModel["weights"]): number {
  let count = 0;
  for (const { data } of weights.values()) count += data.length;
  return count;
}
