import { EmbedError } from "../../../errors.ts";
import type { OperatorHandler, Planner } from "../planner.ts";
import type { OnnxNode } from "../read-onnx-graph.ts";
import { type DepthBlock, depthOf } from "../steps/convolution.ts";
import { planesOf, tilesOf } from "../steps/winograd.ts";
import { pixelsOf, type TensorSlot } from "../tensor-slot.ts";
import { transformFilters } from "../transform-filters.ts";
import { layoutWindow, pointWindow, readWindow, slide, type Window } from "../window.ts";

/** ONNX `Conv` with kernels (filters, channels / group, height, width): by product, by Winograd, or by channel. */
export const convolution: OperatorHandler = (planner, node) => {
  const input = planner.input(node);
  const { shape } = planner.constant(node, 1);
  const [filters = 0, groupChannels = 0, height = 0, width = 0] = shape;
  const group = planner.number(node, "group", 1);
  if (shape.length !== 4 || groupChannels * group !== input.channels || filters % group !== 0) {
    throw new EmbedError(
      "MODEL_CORRUPT",
      `node "${node.name}": expected weights (filters, ${input.channels} / ${group}, height, width), got (${shape.join(", ")})`,
    );
  }
  const window = readWindow(node, [height, width]);
  if (window.kernel[0] !== height || window.kernel[1] !== width) {
    throw new EmbedError(
      "MODEL_CORRUPT",
      `node "${node.name}": kernel_shape ${window.kernel.join("x")} differs from its weights`,
    );
  }
  const output = slide(node, window, input, filters);
  const bias = node.inputs[2] ? planner.floats(node, 2) : new Float32Array(filters);
  const weights = planner.floats(node, 1);
  if (group > 1 && groupChannels === 1 && filters === group) {
    addDepthwise(planner, node, { input, output, window, weights, bias });
    return;
  }
  const taps = height * width;
  const plain: WeightAt = (filter, channel, tap) => weights[(filter * groupChannels + channel) * taps + tap]!;
  /** Groups are a product with zeros where a filter does not look. */
  const grouped: WeightAt = (filter, channel, tap) => {
    const inGroup = channel - Math.floor((filter * group) / filters) * groupChannels;
    return inGroup < 0 || inGroup >= groupChannels ? 0 : plain(filter, inGroup, tap);
  };
  const weightAt = group === 1 ? plain : grouped;
  addConvolution(planner, node, { input, output, window, weightAt, bias });
};

/** One filter's weight of one channel of the input at one tap. */
export type WeightAt = (filter: number, channel: number, tap: number) => number;

interface Filters {
  readonly input: TensorSlot;
  readonly output: TensorSlot;
  readonly window: Window;
  readonly weightAt: WeightAt;
  readonly bias: Float32Array;
}

/** Adds the step that is expected to be the quickest. */
export function addConvolution(planner: Planner, node: OnnxNode, filters: Filters): void {
  const { input, output, window, weightAt, bias } = filters;
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
      transformFilters(target, { tile, plane, weightAt, input, output }),
    );
    const zeros = planner.weights.add(output.stride, () => undefined);
    planner.add(
      node,
      { kind: "winograd", ...common, tile, filters: address, filterPlane: plane * 4, zeros },
      fused,
    );
    return;
  }
  const taps = window.kernel[0] * window.kernel[1];
  const panels = output.stride / 8;
  const blocks = cutDepth(taps, input.stride).map((block) => ({
    ...block,
    weights: planner.weights.add(panels * depthOf(block as DepthBlock) * 8, (target) =>
      packPanels(target, block, weightAt, input, output),
    ),
  }));
  planner.add(node, { kind: "convolution", ...common, blocks, panels }, fused);
}

/** Steps of the inner dimension whose weights and rows the caches hold together. */
const mostDepth = 160;
const channelPart = 128;

/** Cuts taps by channels into blocks: some whole taps, or parts of one. */
function cutDepth(taps: number, channels: number): Omit<DepthBlock, "weights">[] {
  const blocks: Omit<DepthBlock, "weights">[] = [];
  const tapsAtATime = Math.max(1, Math.floor(mostDepth / channels));
  const part = channels > mostDepth ? channelPart : channels;
  for (let tap = 0; tap < taps; tap += tapsAtATime) {
    for (let channel = 0; channel < channels; channel += part) {
      blocks.push({
        taps: [tap, Math.min(taps, tap + tapsAtATime)],
        channels: [channel, Math.min(channels, channel + part)],
      });
    }
  }
  return blocks;
}

/** Panels [depth][8], one for each 8 filters, zero behind the last filter and channel. */
function packPanels(
  target: Float32Array,
  { taps, channels }: Omit<DepthBlock, "weights">,
  weightAt: WeightAt,
  input: TensorSlot,
  output: TensorSlot,
): void {
  let at = 0;
  for (let panel = 0; panel < output.stride; panel += 8) {
    for (let tap = taps[0]; tap < taps[1]; tap++) {
      for (let channel = channels[0]; channel < channels[1]; channel++, at += 8) {
        if (channel >= input.channels) continue;
        const until = Math.min(8, output.channels - panel);
        for (let filter = 0; filter < until; filter++)
          target[at + filter] = weightAt(panel + filter, channel, tap);
      }
    }
  }
}

/** Multiply-adds that take as long as one byte of weights that comes from memory: measured on an AMD EPYC (Zen 4). */
const stepsPerWeightByte = 1.8;

/**
 * Winograd's tile, or undefined where the product itself is cheaper: fewer multiplications stand against more
 * weights, which have to come from memory for every picture.
 */
function chooseTile(
  { kernel, strides, dilations }: Window,
  input: TensorSlot,
  output: TensorSlot,
): 2 | 4 | undefined {
  const isFit = [kernel, strides, dilations].map(String).join(" ") === "3,3 1,1 1,1";
  if (!isFit || input.stride < 16) return undefined;
  const filters = input.stride * output.stride;
  const cost = (rows: number, weights: number) =>
    rows * weights * filters + weights * filters * 4 * stepsPerWeightByte;
  const choices = [
    { tile: undefined, cost: cost(pixelsOf(output), 9) },
    { tile: 2, cost: cost(tilesOf(output, 2), 16) * 1.1 },
    { tile: 4, cost: cost(tilesOf(output, 4), 36) * 1.15 },
  ] as const;
  return choices.toSorted((a, b) => a.cost - b.cost)[0]?.tile;
}

interface ChannelFilters {
  readonly input: TensorSlot;
  readonly output: TensorSlot;
  readonly window: Window;
  readonly weights: Float32Array;
  readonly bias: Float32Array;
}

function addDepthwise(planner: Planner, node: OnnxNode, filters: ChannelFilters): void {
  const { input, output, window, weights, bias } = filters;
  const fused = planner.fuse(node, output, false);
  const taps = window.kernel[0] * window.kernel[1];
  const { stride, channels } = output;
  planner.add(
    node,
    {
      kind: "depthwise",
      node: node.name,
      input,
      output,
      low: fused.low,
      high: fused.high,
      window: planner.weights.addInts(layoutWindow(window, input, output)),
      weights: planner.weights.add(taps * stride, (target) => {
        for (let tap = 0; tap < taps; tap++) {
          for (let channel = 0; channel < channels; channel++) {
            target[tap * stride + channel] = weights[channel * taps + tap]!;
          }
        }
      }),
      bias: planner.weights.add(stride, (target) => target.set(bias)),
    },
    fused,
  );
}

/** ONNX `Gemm` of a vector and a constant matrix: a convolution of one pixel. */
export const gemm: OperatorHandler = (planner, node) => {
  const input = planner.input(node);
  const { shape } = planner.constant(node, 1);
  const isTurned = planner.number(node, "transB", 0) !== 0;
  const [rows = 0, columns = 0] = isTurned ? shape.toReversed() : shape;
  const isPlain =
    planner.number(node, "transA", 0) === 0 &&
    planner.number(node, "alpha", 1) === 1 &&
    planner.number(node, "beta", 1) === 1;
  if (!isPlain) throw planner.refuse(node, "transA, alpha and beta other than 0, 1 and 1 are not known");
  if (pixelsOf(input) !== 1 || shape.length !== 2 || rows !== input.channels) {
    throw new EmbedError(
      "MODEL_CORRUPT",
      `node "${node.name}": a matrix (${shape.join(", ")}) does not take ${input.channels} values`,
    );
  }
  const matrix = planner.floats(node, 1);
  const weightAt: WeightAt = isTurned
    ? (filter, channel) => matrix[filter * rows + channel]!
    : (filter, channel) => matrix[channel * columns + filter]!;
  const bias = node.inputs[2] ? planner.floats(node, 2) : new Float32Array(columns);
  const output = slide(node, pointWindow, input, columns);
  addConvolution(planner, node, { input, output, window: pointWindow, weightAt, bias });
};
