import type { Planner } from "../planner.ts";
import type { OnnxNode } from "../read-onnx-graph.ts";
import type { TensorSlot } from "../tensor-slot.ts";
import { layoutWindow, type Window } from "../window.ts";

interface ChannelFilters {
  readonly input: TensorSlot;
  readonly output: TensorSlot;
  readonly window: Window;
  /** (channels, 1, height, width) of the window. */
  readonly weights: Float32Array;
  /** One for each channel. */
  readonly bias: Float32Array;
}

/** Adds the step of a convolution with one filter for each channel. */
export function addDepthwise(planner: Planner, node: OnnxNode, filters: ChannelFilters): void {
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
