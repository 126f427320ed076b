import { chooseTile } from "../choose-tile.ts";
import { cutDepth } from "../cut-depth.ts";
import type { ReadWeights } from "../filter-weights.ts";
import { packPanels } from "../pack-panels.ts";
import type { Planner } from "../planner.ts";
import type { OnnxNode } from "../read-onnx-graph.ts";
import { depthOf } from "../steps/convolution.ts";
import { planesOf } from "../steps/winograd.ts";
import type { TensorSlot } from "../tensor-slot.ts";
import { transformFilters } from "../transform-filters.ts";
import { layoutWindow, type Window } from "../window.ts";

interface Filters {
  readonly input: TensorSlot;
  readonly output: TensorSlot;
  readonly window: Window;
  readonly readWeights: ReadWeights;
  /** One for each filter. */
  readonly bias: Float32Array;
}

/** Adds the step that is expected to be the quickest. */
export function addConvolution(planner: Planner, node: OnnxNode, filters: Filters): void {
  const { input, output, window, readWeights, bias } = filters;
  const fused = planner.fuse(node, output, true);
  const common = {
    node: node.name,
    input,
    output,
    low: fused.low,
    high: fused.high,
    ...(fused.residual && { residual: fused.residual }),
    window: planner.weights.addInts(layoutWindow(window, input, output)),
    bias: planner.weights.add(output.stride, (target) => target.set(bias)),
  };
  const tile = chooseTile(window, input, output);
  if (tile !== undefined) {
    const plane = input.stride * output.stride + 16;
    const address = planner.weights.add(planesOf(tile) * plane, (target) =>
      transformFilters(target, { tile, plane, weights: readWeights(), input, output }),
    );
    const zeros = planner.weights.add(output.stride, () => undefined);
    planner.add(
      node,
      { kind: "winograd", ...common, tile, filters: address, filterPlane: plane * 4, zeros },
      fused,
    );
    return;
  }
  const panels = output.stride / 8;
  const blocks = cutDepth(window.kernel[0] * window.kernel[1], input.stride).map((block) => ({
    ...block,
    weights: planner.weights.add(panels * depthOf(block) * 8, (target) =>
      packPanels(target, block, readWeights(), input.channels, output),
    ),
  }));
  planner.add(node, { kind: "convolution", ...common, blocks, panels }, fused);
}

/**
 * The bias of a node's `filters` filters, its input 2; zeros where it has none.
 * @throws EmbedError `ENGINE_UNSUPPORTED` if there are more or fewer values
 */
export function readBias(planner: Planner, node: OnnxNode, filters: number): Float32Array {
  if (!node.inputs[2]) return new Float32Array(filters);
  const bias = planner.floats(node, 2);
  if (bias.length !== filters)
    throw planner.refuse(node, `expected a bias of ${filters} values, got ${bias.length}`);
  return bias;
}
