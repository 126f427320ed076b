import { type Constant, type Graph, type GraphNode, int } from "../graph.ts";
import { toFloat16 } from "./float16.ts";

/** `TensorProto.DataType.FLOAT`, as the attribute `to` of Cast has it. */
const toFloat32 = int(1);

/**
 * Stores kernels as float16, half their size, and puts a `Cast` before each that turns them into float32 again: engines do
 * that once, when they load the model, and compute in float32. What has one axis longer than 1 or none, such as biases, stays as it is: it is
 * a thousandth of the whole.
 * @throws EmbedError `CONVERT_INVALID` naming a tensor with a value that float16 cannot hold
 */
export function storeFloat16(graph: Graph): Graph {
  const constants = new Map<string, Constant>();
  const casts: GraphNode[] = [];
  const renamed = new Map<string, string>();
  const taken = new Set([...graph.constants.keys(), ...graph.nodes.map((node) => node.output)]);
  const used = new Set(graph.nodes.flatMap((node) => node.inputs));
  for (const [name, constant] of graph.constants) {
    if (!used.has(name)) continue;
    if (constant.kind !== "float32" || constant.shape.filter((size) => size > 1).length < 2) {
      constants.set(name, constant);
      continue;
    }
    const stored = freeName(taken, `${name}/float16`);
    const output = freeName(taken, `${name}/Cast`);
    constants.set(stored, {
      kind: "float16",
      shape: constant.shape,
      data: toFloat16(constant.data, name),
    });
    casts.push({ op: "Cast", inputs: [stored], output, attributes: { to: toFloat32 } });
    renamed.set(name, output);
  }
  const nodes = graph.nodes.map((node) => ({
    ...node,
    inputs: node.inputs.map((input) => renamed.get(input) ?? input),
  }));
  return { ...graph, nodes: [...casts, ...nodes], constants };
}

/** A name that no tensor has, from now on this one's. */
export function freeName(taken: Set<string>, base: string): string {
  let name = base;
  for (let number = 2; taken.has(name); number++) name = `${base}_${number}`;
  taken.add(name);
  return name;
}
