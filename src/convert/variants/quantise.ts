import { invalidModel } from "../convert-error.ts";
import { type Constant, floatsOf, type Graph, type GraphNode, int } from "../graph.ts";
import type { Int8Ranges } from "./int8-ranges.ts";
import { type QuantisedWeights, quantiseWeights } from "./quantise-weights.ts";
import { freeName } from "./store-float16.ts";

/** A tensor that is held in eight bits. */
interface Held {
  /** Its values as float32 again. */
  readonly name: string;
  readonly scale: number;
}

/**
 * Holds tensors in eight bits, as pairs of QuantizeLinear and DequantizeLinear ("QDQ"), which runtimes fuse with the
 * operators between them: uint8 activations with one step for a tensor, int8 weights with one for each filter, int32
 * biases. What is no convolution of such a tensor computes in float32.
 *
 * A `Relu` whose result is held from zero on is left out: what is below zero is cut off there anyhow.
 * @throws EmbedError `CONVERT_INVALID` if a range is that of no tensor
 */
export function quantise(graph: Graph, ranges: Int8Ranges): Graph {
  checkNames(graph, ranges);
  const constants = new Map(graph.constants);
  const taken = new Set([...constants.keys(), ...graph.nodes.map((node) => node.output)]);
  const nodes: GraphNode[] = [];
  const held = new Map<string, Held>();
  const nameOf = (tensor: string) => held.get(tensor)?.name ?? tensor;

  const addConstant = (base: string, constant: Constant): string => {
    const name = freeName(taken, base);
    constants.set(name, constant);
    return name;
  };
  const add = (op: string, inputs: readonly string[], base: string, attributes = {}): string => {
    const output = freeName(taken, base);
    nodes.push({ op, inputs, output, attributes });
    return output;
  };

  const hold = (tensor: string, source: string): Held => {
    const { scale, zero } = stepsOf(ranges[tensor]!);
    const steps = [
      addConstant(`${tensor}/scale`, { kind: "float32", shape: [], data: Float32Array.of(scale) }),
      addConstant(`${tensor}/zero`, { kind: "uint8", shape: [], data: Uint8Array.of(zero) }),
    ];
    const quantised = add("QuantizeLinear", [source, ...steps], `${tensor}/QuantizeLinear`);
    return { name: add("DequantizeLinear", [quantised, ...steps], `${tensor}/DequantizeLinear`), scale };
  };

  /** Whole numbers as float32, with a step for each filter; their zero is 0, as ONNX has it where nothing is said. */
  const dequantised = (base: string, steps: Constant, scales: Float32Array): string => {
    const inputs = [
      addConstant(`${base}/steps`, steps),
      addConstant(`${base}/scales`, { kind: "float32", shape: [scales.length], data: scales }),
    ];
    return add("DequantizeLinear", inputs, `${base}/DequantizeLinear`, { axis: int(0) });
  };

  const quantiseConv = (node: GraphNode, input: Held): GraphNode => {
    const kernel = { kind: "float32", ...floatsOf(graph, node.inputs[1]!) } as const;
    const bias = node.inputs[2] === undefined ? undefined : floatsOf(graph, node.inputs[2]).data;
    const weights: QuantisedWeights = quantiseWeights(kernel, bias, input.scale);
    const { kernelSteps, scales, biasSteps, biasScales } = weights;
    const { shape } = kernel;
    const inputs = [
      input.name,
      dequantised(`${node.output}/kernel`, { kind: "int8", shape, data: kernelSteps }, scales),
    ];
    if (bias) {
      const steps = { kind: "int32", shape: [shape[0]!], data: biasSteps } as const;
      inputs.push(dequantised(`${node.output}/bias`, steps, biasScales));
    }
    return { ...node, inputs };
  };

  for (const node of graph.nodes) {
    const range = ranges[node.output];
    if (node.op === "Relu" && range?.[0] === 0) {
      held.set(node.output, hold(node.output, nameOf(node.inputs[0]!)));
      continue;
    }
    const input = node.op === "Conv" ? held.get(node.inputs[0]!) : undefined;
    nodes.push(input ? quantiseConv(node, input) : { ...node, inputs: node.inputs.map(nameOf) });
    if (range) held.set(node.output, hold(node.output, node.output));
  }
  return { ...graph, nodes, constants };
}

/** 256 steps from the least value to the most, with zero on one of them. */
function stepsOf([least, most]: readonly [number, number]): { scale: number; zero: number } {
  const scale = Math.fround((most - least) / 255);
  return { scale, zero: Math.round(-least / scale) };
}

function checkNames(graph: Graph, ranges: Int8Ranges): void {
  const outputs = new Set(graph.nodes.map((node) => node.output));
  for (const name of Object.keys(ranges)) {
    if (name === graph.output.name)
      throw invalidModel(`int8 ranges: "${name}" is the output, which stays float32`);
    if (!outputs.has(name)) throw invalidModel(`int8 ranges: "${name}" is no tensor of this network`);
  }
}
