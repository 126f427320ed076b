import { addActivation } from "../activations.ts";
import { addChannelKernel, addConvolution } from "../convolution.ts";
import type { LayerHandler } from "../layer-handler.ts";
import { imageInput } from "../layer-inputs.ts";
import { readSize } from "../layer-settings.ts";
import { addBias } from "../layer-weights.ts";
import { readMovement } from "../read-movement.ts";

/**
 * Keras `DepthwiseConv2D`: filters of their own for each channel; kernel (kh, kw, channels, multiplier), bias
 * (channels * multiplier).
 */
export const depthwiseConv2d: LayerHandler = (context) => {
  const { layer } = context;
  const input = imageInput(context);
  const channels = input.shape[2];
  const movement = readMovement(layer);
  const multiplier = readSize(layer, "depth_multiplier", 1);
  const shape = [...movement.kernel, channels, multiplier] as const;
  const weights = context.weight("depthwise_kernel", shape);
  const kernel = addChannelKernel(context, "depthwise_kernel", weights, shape);
  const filters = channels * multiplier;
  const output = addConvolution(context, input, movement, {
    group: channels,
    kernel,
    filters,
    ...addBias(context, filters),
  });
  return { ...output, name: addActivation(context, output) };
};
