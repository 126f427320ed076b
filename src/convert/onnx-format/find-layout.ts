import type { GraphProto, NodeProto } from "../../gen/onnx/onnx_pb.ts";

export type Layout = "NHWC" | "NCHW";

/** ONNX defines these on (N, channels, ...) alone. */
const channelsFirst: ReadonlySet<string> = new Set([
  "AveragePool",
  "BatchNormalization",
  "Conv",
  "ConvTranspose",
  "DepthToSpace",
  "GlobalAveragePool",
  "GlobalMaxPool",
  "InstanceNormalization",
  "LRN",
  "MaxPool",
  "SpaceToDepth",
]);

/** Value by value, or along height and width: the result lies as what it is made of. */
const keepsLayout: ReadonlySet<string> = new Set([
  ..."Abs Add Cast Clip Div Dropout Elu Erf Exp Gelu HardSigmoid HardSwish Identity LeakyRelu Log Max Min Mish".split(
    " ",
  ),
  ..."Mul Neg Pad Pow PRelu Relu Resize Selu Sigmoid Softplus Softsign Sqrt Sub Sum Tanh ThresholdedRelu".split(
    " ",
  ),
  "Concat",
]);

/**
 * Where the channels of a tensor (N, ...) of rank 4 are: told by the nodes that it comes from, since a graph may turn
 * its pictures about anywhere.
 * @param input the layout of the model's own input
 * @returns undefined if the nodes do not say, or not the same
 */
export function findLayout(
  graph: GraphProto,
  tensor: string,
  input: { readonly name: string; readonly layout: Layout },
): Layout | undefined {
  const producers = new Map(
    graph.node.flatMap((node) => node.output.map((output) => [output, node] as const)),
  );
  const constants = new Set(graph.initializer.map(({ name }) => name));
  const found = new Set<Layout | undefined>();
  const seen = new Set<string>();
  const open = [tensor];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (seen.has(name)) continue;
    seen.add(name);
    const node = producers.get(name);
    if (name === input.name) found.add(input.layout);
    else if (!node) found.add(undefined);
    else if (channelsFirst.has(node.opType)) found.add("NCHW");
    else if (node.opType === "Transpose") found.add(layoutAfter(node));
    else if (keepsLayout.has(node.opType)) open.push(...pictureInputs(node, producers, constants));
    else found.add(undefined);
  }
  const [layout, ...others] = found;
  return others.length === 0 ? layout : undefined;
}

/** What a transposition from the other layout gives. */
function layoutAfter(node: NodeProto): Layout | undefined {
  const perm = node.attribute.find(({ name }) => name === "perm")?.ints.join();
  if (perm === "0,2,3,1") return "NHWC";
  return perm === "0,3,1,2" ? "NCHW" : undefined;
}

/** Of a resizing or a padding only the first input is a picture; of a sum, those that are no constants. */
function pictureInputs(
  node: NodeProto,
  producers: ReadonlyMap<string, NodeProto>,
  constants: ReadonlySet<string>,
): readonly string[] {
  const isOne = ["Cast", "Clip", "Dropout", "Pad", "PRelu", "Resize"].includes(node.opType);
  const inputs = isOne ? node.input.slice(0, 1) : node.input;
  return inputs.filter(
    (name) => name !== "" && !constants.has(name) && producers.get(name)?.opType !== "Constant",
  );
}
