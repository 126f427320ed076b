import { type Constant, countUses, floatsOf, type Graph, type GraphNode, indexProducers } from "../graph.ts";

/**
 * Folds each batch normalisation into the convolution before it, if nothing else takes that convolution's
 * output or its kernel: calls of one layer keep one copy of its weights. Factors are computed in float64, so each weight is rounded to float32 once.
 */
export function foldBatchNorm(graph: Graph): Graph {
  const producers = indexProducers(graph);
  const uses = countUses(graph);
  const constants = new Map(graph.constants);
  const replaced = new Map<string, GraphNode | undefined>();
  for (const node of graph.nodes) {
    const conv = node.op === "BatchNormalization" ? producers.get(node.inputs[0]!) : undefined;
    const isOwn = (name: string) => uses.get(name) === 1;
    if (conv?.op !== "Conv" || !isOwn(conv.output) || !isOwn(conv.inputs[1]!)) continue;
    const { kernel, bias } = foldWeights(graph, conv, node);
    const kernelName = freeName(constants, `${conv.output}/kernel`);
    const biasName = freeName(constants, `${conv.output}/bias`);
    constants.set(kernelName, kernel).set(biasName, bias);
    replaced.set(conv.output, undefined);
    // The folded convolution stands where the normalisation stood and keeps its output's name.
    replaced.set(node.output, {
      ...conv,
      inputs: [conv.inputs[0]!, kernelName, biasName],
      output: node.output,
    });
  }
  const nodes = graph.nodes.flatMap((node) =>
    replaced.has(node.output) ? (replaced.get(node.output) ?? []) : node,
  );
  return { ...graph, nodes, constants };
}

/** A layer may be named like another's node, so the name may be taken. */
function freeName(constants: ReadonlyMap<string, Constant>, base: string): string {
  let name = base;
  for (let number = 2; constants.has(name); number++) name = `${base}_${number}`;
  return name;
}

/** gamma * (conv(x) + bias - mean) / sqrt(variance + epsilon) + beta, as one kernel and one bias. */
function foldWeights(graph: Graph, conv: GraphNode, norm: GraphNode): { kernel: Constant; bias: Constant } {
  const kernel = floatsOf(graph, conv.inputs[1]!);
  const bias = conv.inputs[2] === undefined ? undefined : floatsOf(graph, conv.inputs[2]).data;
  const [gamma, beta, mean, variance] = norm.inputs.slice(1).map((name) => floatsOf(graph, name).data);
  const epsilon = norm.attributes.epsilon!.value as number;
  const filters = kernel.shape[0]!;
  const perFilter = kernel.data.length / filters;
  const foldedKernel = new Float32Array(kernel.data.length);
  const foldedBias = new Float32Array(filters);
  for (let o = 0; o < filters; o++) {
    const factor = gamma![o]! / Math.sqrt(variance![o]! + epsilon);
    foldedBias[o] = ((bias?.[o] ?? 0) - mean![o]!) * factor + beta![o]!;
    for (let i = o * perFilter; i < (o + 1) * perFilter; i++) foldedKernel[i] = kernel.data[i]! * factor;
  }
  return {
    kernel: { kind: "float32", shape: kernel.shape, data: foldedKernel },
    bias: { kind: "float32", shape: [filters], data: foldedBias },
  };
}
