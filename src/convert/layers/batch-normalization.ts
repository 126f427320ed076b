import { float } from "../graph.ts";
import type { LayerHandler } from "../layer-handler.ts";
import { oneInput } from "../layer-inputs.ts";
import { readFlag, readNumber, requireLastAxis } from "../layer-settings.ts";

/**
 * Keras `BatchNormalization` at inference: gamma * (x - moving_mean) / sqrt(moving_variance + epsilon) + beta,
 * each (channels). Behind a convolution the pass `foldBatchNorm` takes it away again.
 */
export const batchNormalization: LayerHandler = (context) => {
  const { layer } = context;
  const input = oneInput(context);
  const channels = input.shape.at(-1)!;
  requireLastAxis(layer, input.shape.length);
  // First the weights that there must be: they prove the number of channels before memory is taken for as many.
  const mean = context.weight("moving_mean", [channels]);
  const variance = context.weight("moving_variance", [channels]);
  const gamma = readFlag(layer, "scale", true)
    ? context.weight("gamma", [channels])
    : new Float32Array(channels).fill(1);
  const beta = readFlag(layer, "center", true)
    ? context.weight("beta", [channels])
    : new Float32Array(channels);

  const tensor = (variable: string, data: Float32Array) =>
    context.constant(variable, { kind: "float32", shape: [channels], data });
  const name = context.node(
    "BatchNormalization",
    [
      input.name,
      tensor("gamma", gamma),
      tensor("beta", beta),
      tensor("moving_mean", mean),
      tensor("moving_variance", variance),
    ],
    { epsilon: float(readNumber(layer, "epsilon", 1e-3)) },
  );
  return { name, shape: input.shape };
};
