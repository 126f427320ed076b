import { align, placeSlots, type SlotUse } from "./arena.ts";
import { operators } from "./operators/table.ts";
import { createPackedWeights, type PackedWeights } from "./packed-weights.ts";
import { planNodes } from "./planner.ts";
import type { OnnxGraph, OnnxNode } from "./read-onnx-graph.ts";
import { convolutionScratchBytes } from "./steps/convolution.ts";
import type { Step } from "./steps/run-step.ts";
import { winogradScratchBytes } from "./steps/winograd.ts";
import { createSlot, type TensorSlot } from "./tensor-slot.ts";

/** How a model is run: plain data, the same for every thread. */
export interface SimdPlan {
  readonly inputShape: readonly [height: number, width: number, channels: number];
  readonly dimension: number;
  readonly input: TensorSlot;
  readonly output: TensorSlot;
  readonly steps: readonly Step[];
  /** Bytes of all packed weights, of the tensors of one picture, and of what one thread needs beside them. */
  readonly weightBytes: number;
  readonly arenaBytes: number;
  readonly scratchBytes: number;
}

/**
 * Of the input's channels in memory: 4 where only convolutions over all of them read them, so that red, green and blue with
 * a zero are one vector; else 8, as everywhere.
 */
function inputMultiple({ input, nodes }: OnnxGraph): 4 | 8 {
  const names = new Set([input.name]);
  for (const node of nodes)
    if (node.op === "Transpose" && names.has(node.inputs[0] ?? "")) names.add(node.output);
  const isWhole = ({ op, attributes }: OnnxNode) => op === "Conv" && (attributes.get("group") ?? 1) === 1;
  const takers = nodes.filter(
    (node) => node.op !== "Transpose" && node.inputs.some((name) => names.has(name)),
  );
  return takers.every(isWhole) ? 4 : 8;
}

/**
 * Plans a graph for the kernels.
 * @returns the plan, and the weights to be written into memory once
 * @throws EmbedError `ENGINE_UNSUPPORTED`, `MODEL_CORRUPT`
 */
export function planModel(graph: OnnxGraph): { readonly plan: SimdPlan; readonly weights: PackedWeights } {
  const weights = createPackedWeights();
  const [height, width, channels] = graph.input.shape;
  const input = createSlot(height, width, channels, inputMultiple(graph));
  const { steps, output } = planNodes(graph, input, weights, operators);
  const plan: SimdPlan = {
    inputShape: graph.input.shape,
    dimension: graph.output.dimension,
    input,
    output,
    steps,
    weightBytes: align(weights.byteLength()),
    arenaBytes: placeSlots(steps.map(usedBy), input, output),
    scratchBytes: align(Math.max(0, ...steps.map(scratchOf))),
  };
  return { plan, weights };
}

function usedBy(step: Step): SlotUse {
  const reads = step.kind === "combine" ? [step.a, step.b] : [step.input];
  const residual = "residual" in step && step.residual ? [step.residual] : [];
  return { reads: [...reads, ...residual], writes: step.output };
}

function scratchOf(step: Step): number {
  if (step.kind === "convolution") return convolutionScratchBytes(step.blocks);
  if (step.kind === "winograd") return winogradScratchBytes(step.tile, step.input, step.output);
  return 0;
}
