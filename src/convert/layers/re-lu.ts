import { addClip, addScalar } from "../activations.ts";
import { float } from "../graph.ts";
import type { LayerContext, LayerHandler } from "../layer-handler.ts";
import { oneInput } from "../layer-inputs.ts";
import { readNumber } from "../layer-settings.ts";

/**
 * Keras `ReLU` (`relu` in keras/src/activations/activations.py): x above `threshold`, held to `max_value`; below it
 * `negative_slope` * (x - threshold).
 */
export const reLu: LayerHandler = (context) => {
  const { layer } = context;
  const { name, shape } = oneInput(context);
  const slope = readNumber(layer, "negative_slope", 0);
  const threshold = readNumber(layer, "threshold", 0);
  const max = (layer.config.max_value ?? null) === null ? undefined : readNumber(layer, "max_value");
  if (threshold === 0 && max === undefined && slope !== 0)
    return { name: context.node("LeakyRelu", [name], { alpha: float(slope) }), shape };
  const positive = addPositive(context, name, threshold, max);
  if (slope === 0) return { name: positive, shape };
  // min(x - threshold, 0) is what is below.
  const below = context.node("Min", [
    context.node("Sub", [name, addScalar(context, "threshold", threshold)]),
    addScalar(context, "zero", 0),
  ]);
  const leak = context.node("Mul", [below, addScalar(context, "slope", slope)]);
  return { name: context.node("Add", [positive, leak]), shape };
};

function addPositive(
  context: LayerContext,
  input: string,
  threshold: number,
  max: number | undefined,
): string {
  const above =
    threshold === 0 ? input : context.node("ThresholdedRelu", [input], { alpha: float(threshold) });
  if (max !== undefined) return addClip(context, above, max);
  return threshold === 0 ? context.node("Relu", [above]) : above;
}
