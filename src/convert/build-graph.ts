import { formatShape, invalidModel, unsupportedLayer } from "./convert-error.ts";
import { type Constant, type Graph, type GraphNode, ints } from "./graph.ts";
import type { KerasModel } from "./keras-format/keras-model.ts";
import type { LayerContext, TensorRef } from "./layer-handler.ts";
import { groupWeightNames, openLayerWeights } from "./layer-weights.ts";
import { readInputShape } from "./layers/input-layer.ts";
import { layerTable } from "./layers/layer-table.ts";
import { callKey, type SortedCall, sortCalls } from "./sort-calls.ts";

/** The name of the model's input tensor. */
const inputName = "input";

interface BuiltGraph {
  readonly graph: Graph;
  /** Names of the source weights that the output depends on, in the order of first use. */
  readonly usedWeights: readonly string[];
}

/**
 * Walks from the input to `outputLayer` and lets each layer's handler add its nodes. The graph takes
 * (N, ...inputShape) as Keras does, works in (N, channels, height, width), and gives (N, dimension): an output
 * of rank 3 is flattened as Keras's `Flatten` does it.
 * @throws EmbedError `CONVERT_UNSUPPORTED_LAYER` or `CONVERT_INVALID`
 */
export function buildGraph(
  model: KerasModel,
  outputLayer: string,
  inputShape: readonly number[],
): BuiltGraph {
  const nodes: GraphNode[] = [];
  const names = new Set<string>();
  const lastNumbers = new Map<string, number>();
  const constants = new Map<string, Constant>();
  const usedWeights = new Set<string>();
  const weightNames = groupWeightNames(model.weights);
  const tensors = new Map<string, TensorRef>();
  let input: { readonly layer: string; readonly shape: readonly number[] } | undefined;

  const addNode = (scope: string, ...[op, inputs, attributes = {}]: Parameters<LayerContext["node"]>) => {
    // Nodes of one operator in one call, for example the Adds of three tensors, are told apart by number.
    const base = `${scope}/${op}`;
    let output = base;
    let number = lastNumbers.get(base) ?? 1;
    while (names.has(output)) output = `${base}_${++number}`;
    lastNumbers.set(base, number);
    names.add(output);
    nodes.push({ op, inputs, output, attributes });
    return output;
  };

  const addLayer = (call: SortedCall, scope: string): TensorRef => {
    const { layer } = call;
    const handler = layerTable.get(layer.className);
    if (layer.className === "Lambda") {
      throw unsupportedLayer(layer, "holds Python code, which is never run");
    }
    if (!handler) {
      const known = [...layerTable.keys()].join(", ");
      throw unsupportedLayer(layer, `this layer class cannot be converted; known classes: ${known}`);
    }
    const weights = openLayerWeights(layer, model.weights, weightNames.get(layer.name) ?? [], usedWeights);
    const output = handler({
      layer,
      inputs: call.sources.map((source) => tensors.get(callKey(source))!),
      weight: weights.take,
      constant(variable, constant) {
        const name = `${layer.name}/${variable}`;
        constants.set(name, constant);
        return name;
      },
      node: (...node) => addNode(scope, ...node),
    });
    weights.assertAllTaken();
    if (output.shape.some((size) => size < 1)) {
      throw invalidModel(
        `layer "${layer.name}" (${layer.className}): its output would be ${formatShape(output.shape)}; the input is too small`,
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

  const last = tensors.get(callKey({ layer: outputLayer, call: 0 }))!;
  const name =
    last.shape.length === 1
      ? last.name
      : addNode("output", "Flatten", [
          addNode("output", "Transpose", [last.name], { perm: ints([0, 2, 3, 1]) }),
        ]);
  const dimension = last.shape.reduce((a, b) => a * b, 1);
  const graph = {
    input: { name: inputName, shape: input.shape },
    output: { name, dimension },
    nodes,
    constants,
  };
  return { graph, usedWeights: [...usedWeights] };
}
