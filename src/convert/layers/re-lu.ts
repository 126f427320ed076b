import { addClip } from "../activations.ts";
import { unsupportedLayer } from "../convert-error.ts";
import { float } from "../graph.ts";
import type { LayerHandler } from "../layer-handler.ts";
import { oneInput } from "../layer-inputs.ts";
import { readNumber, requireSetting } from "../layer-settings.ts";

/** Keras `ReLU`: plain, cut at `max_value`, or leaking by `negative_slope`. */
export const reLu: LayerHandler = (context) => {
  const { layer } = context;
  const input = oneInput(context);
  requireSetting(layer, "threshold", 0);
  const slope = readNumber(layer, "negative_slope", 0);
  const isCut = (layer.config.max_value ?? null) !== null;
  if (slope !== 0 && isCut)
    throw unsupportedLayer(layer, "max_value with negative_slope; only one of them is supported");
  if (isCut)
    return { name: addClip(context, input.name, readNumber(layer, "max_value")), shape: input.shape };
  const name =
    slope === 0
      ? context.node("Relu", [input.name])
      : context.node("LeakyRelu", [input.name], { alpha: float(slope) });
  return { name, shape: input.shape };
};
