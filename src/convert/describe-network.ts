import type { Constant, Graph } from "./graph.ts";

/** Constants of more values are weights, whose values are known otherwise; those of fewer may be settings of layers. */
const maxSettingValues = 4096;

/**
 * What a network does with its weights, as text: each node with its attributes and where its inputs come from. Two
 * networks of the same weights, one with another activation or another scale, have different texts; the names of their
 * layers decide nothing.
 */
export function describeNetwork({ input, output, nodes, constants }: Graph): string {
  const numbers = new Map([[input.name, 0]]);
  const nameInput = (name: string) => {
    const constant = constants.get(name);
    return constant ? describeConstant(constant) : numbers.get(name);
  };
  const lines = nodes.map((node, index) => {
    numbers.set(node.output, index + 1);
    const attributes = Object.entries(node.attributes).sort(([a], [b]) => (a < b ? -1 : 1));
    return JSON.stringify([node.op, node.inputs.map(nameInput), attributes]);
  });
  return [JSON.stringify(input.shape), ...lines, String(numbers.get(output.name))].join("\n");
}

function describeConstant({ kind, shape, data }: Constant): unknown {
  return [kind, shape, data.length > maxSettingValues ? "weights" : Array.from(data as ArrayLike<number>)];
}
