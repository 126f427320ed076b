import { float } from "../graph.ts";
import type { LayerHandler } from "../layer-handler.ts";
import { oneInput } from "../layer-inputs.ts";
import { readNumber } from "../layer-settings.ts";

/** Keras `LeakyReLU`: x, or `alpha` x below zero; Keras 3 says `negative_slope`. */
export const leakyReLu: LayerHandler = (context) => {
  const { layer } = context;
  const { name, shape } = oneInput(context);
  const setting = layer.config.negative_slope === undefined ? "alpha" : "negative_slope";
  const alpha = float(readNumber(layer, setting, 0.3));
  return { name: context.node("LeakyRelu", [name], { alpha }), shape };
};
