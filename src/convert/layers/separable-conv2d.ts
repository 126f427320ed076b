import { addActivation } from "../activations.ts";
import { addChannelKernel, addConvolution, addKernel, pointMovement } from "../convolution.ts";
import type { LayerHandler } from "../layer-handler.ts";
import { imageInput } from "../layer-inputs.ts";
import { readSize } from "../layer-settings.ts";
import { addBias } from "../layer-weights.ts";
import { readMovement } from "../read-movement.ts";

/**
 * Keras `SeparableConv2D`: filters for each channel, depthwise_kernel (kh, kw, channels, multiplier), then one of 1x1 over all,
 * pointwise_kernel (1, 1, channels * multiplier, filters), and bias (filters).
 */
export const separableConv2d: LayerHandler = (context) => {
  const { layer } = context;
  const input = imageInput(context);
  const channels = input.shape[2];
  const movement = readMovement(layer);
  const multiplier = readSize(layer, "depth_multiplier", 1);
  const filters = readSize(layer, "filters");
  const between = channels * multiplier;
  const byChannel = [...movement.kernel, channels, multiplier] as const;
  const overAll = [1, 1, between, filters] as const;
  const depthwise = context.weight("depthwise_kernel", byChannel);
  const pointwise = context.weight("pointwise_kernel", overAll);
  const spread = addConvolution(context, input, movement, {
    group: channels,
    kernel: addChannelKernel(context, "depthwise_kernel", depthwise, byChannel),
    filters: between,
  });
  const output = addConvolution(context, spread, pointMovement, {
    group: 1,
    kernel: addKernel(context, "pointwise_kernel", pointwise, overAll),
    filters,
    ...addBias(context, filters),
  });
  return { ...output, name: addActivation(context, output) };
};
