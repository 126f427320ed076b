import { addScalar } from "../activations.ts";
import { type Attributes, int, ints } from "../graph.ts";
import type { LayerContext, LayerHandler } from "../layer-handler.ts";
import { oneInput } from "../layer-inputs.ts";
import { readFlag, readNumber, requireLastAxis, requireSetting } from "../layer-settings.ts";

/**
 * Keras `LayerNormalization` over the channels of each pixel: gamma * (x - mean) / sqrt(variance + epsilon) + beta. ONNX has an
 * operator for it since opset 17 only, and for channels that are last.
 */
export const layerNormalization: LayerHandler = (context) => {
  const { layer } = context;
  const input = oneInput(context);
  const { shape } = input;
  requireLastAxis(layer, shape.length);
  requireSetting(layer, "rms_scaling", false);
  const overChannels: Attributes = { axes: ints([1]), keepdims: int(1) };
  const mean = context.node("ReduceMean", [input.name], overChannels);
  const centred = context.node("Sub", [input.name, mean]);
  const squares = context.node("Mul", [centred, centred]);
  const variance = context.node("ReduceMean", [squares], overChannels);
  const epsilon = addScalar(context, "epsilon", readNumber(layer, "epsilon", 1e-3));
  const deviation = context.node("Sqrt", [context.node("Add", [variance, epsilon])]);
  let name = context.node("Div", [centred, deviation]);
  if (readFlag(layer, "scale", true))
    name = context.node("Mul", [name, addChannels(context, "gamma", shape)]);
  if (readFlag(layer, "center", true))
    name = context.node("Add", [name, addChannels(context, "beta", shape)]);
  return { name, shape };
};

/** The constant of a weight (channels), shaped so that it goes with a tensor of `shape`: (channels, 1, 1) for a picture. */
export function addChannels(context: LayerContext, variable: string, shape: readonly number[]): string {
  const channels = shape.at(-1)!;
  const data = context.weight(variable, [channels]);
  const ones = shape.slice(1).map(() => 1);
  return context.constant(variable, { kind: "float32", shape: [channels, ...ones], data });
}
