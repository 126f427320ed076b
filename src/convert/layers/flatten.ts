import { ints } from "../graph.ts";
import type { LayerHandler } from "../layer-handler.ts";
import { oneInput } from "../layer-inputs.ts";
import { requireSetting } from "../layer-settings.ts";

/** Keras `Flatten`: height, width, channels in this order, so the graph's (N, C, H, W) is turned back first. */
export const flatten: LayerHandler = (context) => {
  const { name, shape } = oneInput(context);
  requireSetting(context.layer, "data_format", "channels_last");
  if (shape.length === 1) return { name, shape };
  const channelsLast = context.node("Transpose", [name], { perm: ints([0, 2, 3, 1]) });
  return { name: context.node("Flatten", [channelsLast]), shape: [shape.reduce((a, b) => a * b, 1)] };
};
