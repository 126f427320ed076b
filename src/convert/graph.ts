/** The small graph between Keras and ONNX: ONNX operators, but plain data that a pass can rewrite. */
export interface Graph {
  readonly input: GraphInput;
  readonly output: GraphOutput;
  /** Every node stands behind the nodes whose output it takes. */
  readonly nodes: readonly GraphNode[];
  /** Tensors known beforehand, by name. Those that no node takes are not written. */
  readonly constants: ReadonlyMap<string, Constant>;
}

/** (N, ...shape) float32, N free: pictures as (height, width, channels), or vectors as (dimension). */
interface GraphInput {
  readonly name: string;
  readonly shape: readonly number[];
}

/** (N, dimension) float32. */
interface GraphOutput {
  readonly name: string;
  readonly dimension: number;
}

/** One ONNX operator of the default domain with one output, by whose name others take it. */
export interface GraphNode {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly output: string;
  readonly attributes: Attributes;
}

export type Attributes = Readonly<Record<string, Attribute>>;

export type Attribute =
  | { readonly kind: "int"; readonly value: number }
  | { readonly kind: "ints"; readonly value: readonly number[] }
  | { readonly kind: "float"; readonly value: number };

export type Constant =
  | { readonly kind: "float32"; readonly shape: readonly number[]; readonly data: Float32Array }
  /** The bits of IEEE 754 binary16 values. */
  | { readonly kind: "float16"; readonly shape: readonly number[]; readonly data: Uint16Array }
  | { readonly kind: "int8"; readonly shape: readonly number[]; readonly data: Int8Array }
  | { readonly kind: "uint8"; readonly shape: readonly number[]; readonly data: Uint8Array }
  | { readonly kind: "int32"; readonly shape: readonly number[]; readonly data: Int32Array }
  | { readonly kind: "int64"; readonly shape: readonly number[]; readonly data: readonly number[] };

export function isSameConstant(a: Constant, b: Constant): boolean {
  if (a === b) return true;
  const isSameKind = a.kind === b.kind && a.data.length === b.data.length;
  if (!isSameKind || String(a.shape) !== String(b.shape)) return false;
  const { data } = b;
  // Object.is, since 0 and -0 are not the same constant, and not-a-number is the same as itself.
  return a.data.every((value: number, i: number) => Object.is(value, data[i]));
}

export const int = (value: number): Attribute => ({ kind: "int", value });
export const ints = (value: readonly number[]): Attribute => ({ kind: "ints", value });
export const float = (value: number): Attribute => ({ kind: "float", value });

/** Reads an integer list that a handler of ours has set. */
export function intsOf(node: GraphNode, attribute: string): readonly number[] {
  const value = node.attributes[attribute];
  if (value?.kind !== "ints")
    throw new Error(`node "${node.output}" (${node.op}) has no integers "${attribute}"`);
  return value.value;
}

/** Reads a float tensor that a handler of ours has put in. */
export function floatsOf(graph: Graph, name: string): { shape: readonly number[]; data: Float32Array } {
  const constant = graph.constants.get(name);
  if (constant?.kind !== "float32") throw new Error(`"${name}" is no float32 constant of the graph`);
  return constant;
}

/** How often each tensor is taken, the graph's own output included. */
export function countUses(graph: Graph): ReadonlyMap<string, number> {
  const uses = new Map([[graph.output.name, 1]]);
  for (const node of graph.nodes) {
    for (const input of node.inputs) uses.set(input, (uses.get(input) ?? 0) + 1);
  }
  return uses;
}

/** The node that gives each tensor. */
export function indexProducers(graph: Graph): ReadonlyMap<string, GraphNode> {
  return new Map(graph.nodes.map((node) => [node.output, node]));
}
