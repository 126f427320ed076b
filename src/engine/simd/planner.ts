import type { EmbedError } from "../../errors.ts";
import { type Axes, showAxes, showShape } from "./axes.ts";
import { checkNodes, type Operator, type Operators, refusal } from "./check-nodes.ts";
import type { PackedWeights } from "./packed-weights.ts";
import type { OnnxConstant } from "./read-constant.ts";
import type { OnnxGraph, OnnxNode } from "./read-onnx-graph.ts";
import type { Step } from "./steps/run-step.ts";
import { type Clamp, noClamp } from "./steps/step.ts";
import { pixelsOf, type TensorSlot } from "./tensor-slot.ts";
import { unsupported } from "./unsupported.ts";

/** What an operator's handler may ask for and leave behind while its node is planned. */
export interface Planner {
  readonly weights: PackedWeights;
  /** The tensor that the node takes as its input number `index`. */
  input(node: OnnxNode, index?: number): TensorSlot;
  /** The axes of the tensors that the node takes. */
  axes(node: OnnxNode): Axes;
  /** @throws EmbedError `ENGINE_UNSUPPORTED` if the input is no constant */
  constant(node: OnnxNode, index: number): OnnxConstant;
  /** float32 values of a constant. */
  floats(node: OnnxNode, index: number): Float32Array;
  /** The same, read only when it is called: its result is good until values of any constant are read. */
  lazyFloats(node: OnnxNode, index: number): () => Float32Array;
  /** An attribute that is a number. */
  number(node: OnnxNode, name: string, fallback: number): number;
  /** The result of a node whose axes are not those of its inputs. */
  give(node: OnnxNode, output: TensorSlot, axes: Axes): void;
  /** Adds a step that computes the node, with what follows it and costs nothing there. */
  add(node: OnnxNode, step: Step, fused?: Fused): void;
  /**
   * The clamp that alone takes the node's result, and, with `withSum`, the addition before it whose other side is known
   * already and has the shape of `output`.
   */
  fuse(node: OnnxNode, output: TensorSlot, withSum: boolean): Fused;
  refuse(node: OnnxNode, why: string): EmbedError;
}

/** Nodes that a step computes beside its own. */
export interface Fused extends Clamp {
  readonly residual?: TensorSlot;
  readonly nodes: readonly OnnxNode[];
}

/** Plans one node. */
export type OperatorHandler = (planner: Planner, node: OnnxNode) => void;

export interface Planned {
  readonly steps: readonly Step[];
  readonly output: TensorSlot;
}

interface Tensor {
  readonly slot: TensorSlot;
  readonly axes: Axes;
}

/**
 * @param input where the network's input will lie
 * @throws EmbedError `ENGINE_UNSUPPORTED` naming the node, `MODEL_CORRUPT` if the graph contradicts itself
 */
export function planNodes(
  graph: OnnxGraph,
  input: TensorSlot,
  weights: PackedWeights,
  operators: Operators,
): Planned {
  checkNodes(graph, operators);
  const tensors = new Map<string, Tensor>([[graph.input.name, { slot: input, axes: "NHWC" }]]);
  const takers = new Map<string, OnnxNode[]>();
  for (const node of graph.nodes) {
    for (const name of node.inputs) takers.set(name, [...(takers.get(name) ?? []), node]);
  }
  const steps: Step[] = [];
  const done = new Set<OnnxNode>();

  const planner: Planner = {
    weights,
    refuse: refusal,
    input(node, index = 0) {
      const tensor = tensors.get(node.inputs[index] ?? "");
      if (!tensor) throw refusal(node, `expected its input ${index} to be the result of a node before it`);
      return tensor.slot;
    },
    axes: (node) => axesOf(tensors, node),
    constant(node, index) {
      const constant = graph.constants.get(node.inputs[index] ?? "");
      if (!constant) throw refusal(node, `expected its input ${index} to be a constant`);
      return constant;
    },
    floats: (node, index) => planner.lazyFloats(node, index)().slice(),
    lazyFloats(node, index) {
      const { floats } = planner.constant(node, index);
      if (!floats) throw refusal(node, `expected its input ${index} to be float32`);
      return floats;
    },
    number(node, name, fallback) {
      const value = node.attributes.get(name) ?? fallback;
      if (typeof value !== "number") throw refusal(node, `expected ${name} to be a number`);
      return value;
    },
    give: (node, slot, axes) => void tensors.set(node.output, { slot, axes }),
    add(node, step, fused) {
      steps.push(step);
      for (const one of fused?.nodes ?? []) done.add(one);
      planner.give(fused?.nodes.at(-1) ?? node, step.output, planner.axes(node));
    },
    fuse(node, output, withSum) {
      const nodes: OnnxNode[] = [];
      let residual: TensorSlot | undefined;
      for (let name = node.output; ; ) {
        const [next, ...others] = takers.get(name) ?? [];
        if (!next || others.length > 0 || name === graph.output.name) break;
        const clamp = readClamp(planner, next, name);
        if (clamp) return { ...clamp, nodes: [...nodes, next], ...(residual && { residual }) };
        const other = next.op === "Add" ? next.inputs.find((one) => one !== name) : undefined;
        const sum = withSum && !residual && other !== undefined ? tensors.get(other) : undefined;
        if (sum?.axes !== planner.axes(node) || !isSameShape(sum.slot, output)) break;
        residual = sum.slot;
        nodes.push(next);
        name = next.output;
      }
      return { ...noClamp, nodes, ...(residual && { residual }) };
    },
  };

  for (const node of graph.nodes) {
    if (done.has(node)) continue;
    // `checkNodes` has found all of them.
    const operator = operators.get(node.op) as Operator;
    checkAxes(tensors, node, operator);
    operator.plan(planner, node);
  }
  return { steps, output: findOutput(graph, tensors) };
}

/** Axes of the first tensor that the node takes. */
function axesOf(tensors: ReadonlyMap<string, Tensor>, node: OnnxNode): Axes {
  const tensor = node.inputs.map((name) => tensors.get(name)).find((one) => one !== undefined);
  if (!tensor) throw refusal(node, "expected its input 0 to be the result of a node before it");
  return tensor.axes;
}

function checkAxes(tensors: ReadonlyMap<string, Tensor>, node: OnnxNode, { takes }: Operator): void {
  const first = axesOf(tensors, node);
  for (const [index, name] of node.inputs.entries()) {
    const tensor = tensors.get(name);
    if (!tensor) continue;
    const known = tensor.axes === first ? takes : [first];
    if (known.includes(tensor.axes)) continue;
    throw refusal(
      node,
      `expected its input ${index} to be ${known.map(showAxes).join(" or ")}, got ${showShape(tensor.axes, tensor.slot)}, which is ${showAxes(tensor.axes)}`,
    );
  }
}

function findOutput({ output }: OnnxGraph, tensors: ReadonlyMap<string, Tensor>): TensorSlot {
  const tensor = tensors.get(output.name);
  if (!tensor) throw unsupported(`expected a node that gives the output "${output.name}"`);
  const { slot, axes } = tensor;
  if (axes !== "NC" || slot.channels !== output.dimension)
    throw unsupported(`expected an output (N, ${output.dimension}), got ${showShape(axes, slot)}`);
  return slot;
}

const isSameShape = (a: TensorSlot, b: TensorSlot) =>
  a.height === b.height && a.width === b.width && a.channels === b.channels;

/**
 * Relu and Clip as bounds, if the tensor `input` is what they bound.
 * @throws EmbedError `ENGINE_UNSUPPORTED` for bounds that are not one number each
 */
export function readClamp(planner: Planner, node: OnnxNode, input: string): Clamp | undefined {
  if (node.inputs[0] !== input) return undefined;
  if (node.op === "Relu") return { low: 0, high: Number.POSITIVE_INFINITY };
  if (node.op !== "Clip") return undefined;
  const limit = (index: number, fallback: number) => {
    if (!node.inputs[index]) return fallback;
    const [value, ...others] = planner.floats(node, index);
    if (value === undefined || others.length > 0)
      throw planner.refuse(node, `expected its input ${index} to be one number`);
    return value;
  };
  return { low: limit(1, noClamp.low), high: limit(2, noClamp.high) };
}

/** Whether the slot holds one value for each channel. */
export const isVector = (slot: TensorSlot) => pixelsOf(slot) === 1;
