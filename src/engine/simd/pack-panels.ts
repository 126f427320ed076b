import type { FilterWeights } from "./filter-weights.ts";
import type { DepthBlock } from "./steps/convolution.ts";
import type { TensorSlot } from "./tensor-slot.ts";

/** Panels [depth][8], one for each 8 filters, zero behind the last filter and behind the last of `known` channels. */
export function packPanels(
  target: Float32Array,
  { taps, channels }: Omit<DepthBlock, "weights">,
  { values, filterStep, channelStep, tapStep }: FilterWeights,
  known: number,
  output: TensorSlot,
): void {
  let at = 0;
  for (let panel = 0; panel < output.stride; panel += 8) {
    for (let tap = taps[0]; tap < taps[1]; tap++) {
      for (let channel = channels[0]; channel < channels[1]; channel++, at += 8) {
        if (channel >= known) continue;
        const until = Math.min(8, output.channels - panel);
        let from = panel * filterStep + channel * channelStep + tap * tapStep;
        for (let filter = 0; filter < until; filter++, from += filterStep)
          target[at + filter] = values[from]!;
      }
    }
  }
}
