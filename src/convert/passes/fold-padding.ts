import { type Graph, type GraphNode, indexProducers, ints, intsOf } from "../graph.ts";

/**
 * Lets convolutions and max pools pad for themselves where a `Pad` node stands before them.
 *
 * - A convolution pads with zeros, as `Pad` does: always equal.
 * - A max pool pads with minus infinity. That equals zeros only if no input is below zero, and if no window lies
 *   in the padding alone (each margin is smaller than the kernel, which ONNX asks for anyhow).
 * - An average pool leaves padding out of the mean: never equal, so its `Pad` stays.
 */
export function foldPadding(graph: Graph): Graph {
  const producers = indexProducers(graph);
  const nodes = graph.nodes.map((node) => {
    const pad = producers.get(node.inputs[0]!);
    return pad?.op === "Pad" && canTakePadding(graph, producers, node, pad)
      ? takePadding(graph, node, pad)
      : node;
  });
  const taken = new Set([graph.output.name, ...nodes.flatMap((node) => node.inputs)]);
  return { ...graph, nodes: nodes.filter((node) => node.op !== "Pad" || taken.has(node.output)) };
}

function canTakePadding(
  graph: Graph,
  producers: ReadonlyMap<string, GraphNode>,
  node: GraphNode,
  pad: GraphNode,
): boolean {
  if (node.op === "Conv") return true;
  if (node.op !== "MaxPool" || !isNonNegative(producers.get(pad.inputs[0]!))) return false;
  const [kernelHeight, kernelWidth] = intsOf(node, "kernel_shape");
  const [top, left, bottom, right] = addPads(graph, node, pad);
  return Math.max(top!, bottom!) < kernelHeight! && Math.max(left!, right!) < kernelWidth!;
}

/** Whether a node's output can hold no value below zero; when in doubt, no. */
function isNonNegative(node: GraphNode | undefined): boolean {
  return node?.op === "Relu" || node?.op === "Sigmoid" || node?.op === "Softmax";
}

function takePadding(graph: Graph, node: GraphNode, pad: GraphNode): GraphNode {
  return {
    ...node,
    inputs: [pad.inputs[0]!, ...node.inputs.slice(1)],
    attributes: { ...node.attributes, pads: ints(addPads(graph, node, pad)) },
  };
}

/** (top, left, bottom, right) of both together. */
function addPads(graph: Graph, node: GraphNode, pad: GraphNode): readonly number[] {
  const margins = graph.constants.get(pad.inputs[1]!)!.data;
  const padded = [margins[2]!, margins[3]!, margins[6]!, margins[7]!];
  return intsOf(node, "pads").map((own, side) => own + padded[side]!);
}
