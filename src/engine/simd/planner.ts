import type { EmbedError } from "../../errors.ts";
import type { PackedWeights } from "./packed-weights.ts";
import { type OnnxConstant, type OnnxGraph, type OnnxNode, unsupported } from "./read-onnx-graph.ts";
import type { Step } from "./steps/run-step.ts";
import { type Clamp, noClamp } from "./steps/step.ts";
import { pixelsOf, type TensorSlot } from "./tensor-slot.ts";

/** What an operator's handler may ask for and leave behind while its node is planned. */
export interface Planner {
  readonly weights: PackedWeights;
  /** The tensor that the node takes as its input number `index`. */
  input(node: OnnxNode, index?: number): TensorSlot;
  /** @throws EmbedError `ENGINE_UNSUPPORTED` if the input is no constant */
  constant(node: OnnxNode, index: number): OnnxConstant;
  /** float32 values of a constant. */
  floats(node: OnnxNode, index: number): Float32Array;
  /** An attribute that is a number. */
  number(node: OnnxNode, name: string, fallback: number): number;
  /** The result of a node, made by a step or the same as another tensor. */
  give(node: OnnxNode, output: TensorSlot): void;
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
  readonly input: TensorSlot;
  readonly output: TensorSlot;
}

/**
 * @param input where the network's input will lie
 * @throws EmbedError `ENGINE_UNSUPPORTED` naming the node, `MODEL_CORRUPT` if the graph contradicts itself
 */
export function planNodes(
  graph: OnnxGraph,
  input: TensorSlot,
  weights: PackedWeights,
  operators: ReadonlyMap<string, OperatorHandler>,
): Planned {
  const slots = new Map<string, TensorSlot>([[graph.input.name, input]]);
  const takers = new Map<string, OnnxNode[]>();
  for (const node of graph.nodes) {
    for (const name of node.inputs) takers.set(name, [...(takers.get(name) ?? []), node]);
  }
  const steps: Step[] = [];
  const done = new Set<OnnxNode>();
  const refuse = (node: OnnxNode, why: string) => unsupported(`node "${node.name}" (${node.op}): ${why}`);

  const planner: Planner = {
    weights,
    refuse,
    input(node, index = 0) {
      const slot = slots.get(node.inputs[index] ?? "");
      if (!slot) throw refuse(node, `expected its input ${index} to be the result of a node before it`);
      return slot;
    },
    constant(node, index) {
      const constant = graph.constants.get(node.inputs[index] ?? "");
      if (!constant) throw refuse(node, `expected its input ${index} to be a constant`);
      return constant;
    },
    floats(node, index) {
      const { data } = planner.constant(node, index);
      if (!(data instanceof Float32Array)) throw refuse(node, `expected its input ${index} to be float32`);
      return data;
    },
    number(node, name, fallback) {
      const value = node.attributes.get(name) ?? fallback;
      if (typeof value !== "number") throw refuse(node, `expected ${name} to be a number`);
      return value;
    },
    give: (node, output) => void slots.set(node.output, output),
    add(node, step, fused) {
      steps.push(step);
      const last = fused?.nodes.at(-1) ?? node;
      for (const one of fused?.nodes ?? []) done.add(one);
      slots.set(last.output, step.output);
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
        const sum = withSum && !residual && other !== undefined ? slots.get(other) : undefined;
        if (!sum || sum.channels !== output.channels || !isSameSize(sum, output)) break;
        residual = sum;
        nodes.push(next);
        name = next.output;
      }
      return { ...noClamp, nodes, ...(residual && { residual }) };
    },
  };

  for (const node of graph.nodes) {
    if (done.has(node)) continue;
    const handler = operators.get(node.op);
    if (!handler)
      throw refuse(node, `this operator is not known; known: ${[...operators.keys()].join(", ")}`);
    handler(planner, node);
  }
  const output = slots.get(graph.output.name);
  if (!output) throw unsupported(`expected a node that gives the output "${graph.output.name}"`);
  return { steps, input, output };
}

const isSameSize = (a: TensorSlot, b: TensorSlot) => a.height === b.height && a.width === b.width;

/** Relu and Clip as bounds. */
export function readClamp(planner: Planner, node: OnnxNode, input: string): Clamp | undefined {
  if (node.inputs[0] !== input) return undefined;
  if (node.op === "Relu") return { low: 0, high: Number.POSITIVE_INFINITY };
  if (node.op !== "Clip") return undefined;
  const limit = (index: number, fallback: number) =>
    node.inputs[index] ? (planner.floats(node, index)[0] ?? fallback) : fallback;
  return { low: limit(1, noClamp.low), high: limit(2, noClamp.high) };
}

/** Whether the slot holds a vector: one pixel. */
export const isVector = (slot: TensorSlot) => pixelsOf(slot) === 1;
