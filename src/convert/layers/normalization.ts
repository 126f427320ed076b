import { addAffine } from "../affine.ts";
import type { LayerContext, LayerHandler } from "../layer-handler.ts";
import { oneInput } from "../layer-inputs.ts";
import { readNumbers, requireLastAxis, requireSetting } from "../layer-settings.ts";

/** What Keras holds a deviation to from below: `backend.epsilon()`. */
const leastDeviation = 1e-7;

/**
 * Keras `Normalization`: (x - mean) / sqrt(variance) by channel. The statistics are settings, or weights that `adapt` made
 * of `count` pictures.
 */
export const normalization: LayerHandler = (context) => {
  const { layer } = context;
  const input = oneInput(context);
  const channels = input.shape.at(-1)!;
  requireLastAxis(layer, input.shape.length);
  requireSetting(layer, "invert", false);
  const [mean, variance] = readStatistics(context, channels);
  const scale = variance.map((value) => 1 / Math.max(Math.sqrt(value), leastDeviation));
  const shift = mean.map((value, channel) => -value * scale[channel]!);
  return { name: addAffine(context, input, { scale, shift }), shape: input.shape };
};

function readStatistics(
  context: LayerContext,
  channels: number,
): readonly [mean: Float64Array, variance: Float64Array] {
  const { layer } = context;
  if ((layer.config.mean ?? null) === null && (layer.config.variance ?? null) === null) {
    const mean = context.weight("mean", [channels]);
    const variance = context.weight("variance", [channels]);
    context.weight("count", []);
    return [Float64Array.from(mean), Float64Array.from(variance)];
  }
  const read = (setting: string) => {
    const numbers = readNumbers(layer, setting, channels);
    // Keras holds them as float32.
    return typeof numbers === "number"
      ? new Float64Array(channels).fill(Math.fround(numbers))
      : Float64Array.from(numbers, Math.fround);
  };
  return [read("mean"), read("variance")];
}
