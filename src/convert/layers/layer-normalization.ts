import { maxAffineChannels } from "../affine.ts";
import { invalidModel } from "../convert-error.ts";
import { float, int, ints } from "../graph.ts";
import type { LayerContext, LayerHandler } from "../layer-handler.ts";
import { oneInput } from "../layer-inputs.ts";
import { readFlag, readNumber, requireLastAxis, requireSetting } from "../layer-settings.ts";

/**
 * Keras `LayerNormalization` over the channels of each pixel: gamma * (x - mean) / sqrt(variance + epsilon) + beta. ONNX
 * normalises the last axes only, so a picture is turned before it and behind it.
 */
export const layerNormalization: LayerHandler = (context) => {
  const { layer } = context;
  const { name, shape } = oneInput(context);
  requireLastAxis(layer, shape.length);
  requireSetting(layer, "rms_scaling", false);
  const tensors = [readGamma(context, shape.at(-1)!)];
  if (readFlag(layer, "center", true)) {
    const data = context.weight("beta", [shape.at(-1)!]);
    tensors.push(context.constant("beta", { kind: "float32", shape: [data.length], data }));
  }
  const attributes = { axis: int(-1), epsilon: float(readNumber(layer, "epsilon", 1e-3)) };
  if (shape.length === 1) {
    return { name: context.node("LayerNormalization", [name, ...tensors], attributes), shape };
  }
  const channelsLast = context.node("Transpose", [name], { perm: ints([0, 2, 3, 1]) });
  const normalised = context.node("LayerNormalization", [channelsLast, ...tensors], attributes);
  return { name: context.node("Transpose", [normalised], { perm: ints([0, 3, 1, 2]) }), shape };
};

/** ONNX asks for a gamma: ones where Keras has none. */
function readGamma(context: LayerContext, channels: number): string {
  const { layer } = context;
  const isScaled = readFlag(layer, "scale", true);
  if (!isScaled && channels > maxAffineChannels) {
    throw invalidModel(
      `layer "${layer.name}" (${layer.className}): takes ${channels} channels; expected at most ${maxAffineChannels}`,
    );
  }
  const data = isScaled ? context.weight("gamma", [channels]) : new Float32Array(channels).fill(1);
  return context.constant("gamma", { kind: "float32", shape: [channels], data });
}
