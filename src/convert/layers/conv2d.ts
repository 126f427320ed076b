import { addActivation } from "../activations.ts";
import { invalidModel } from "../convert-error.ts";
import { addConvolution, addKernel } from "../convolution.ts";
import type { LayerHandler } from "../layer-handler.ts";
import { imageInput } from "../layer-inputs.ts";
import { readSize } from "../layer-settings.ts";
import { addBias } from "../layer-weights.ts";
import { readMovement } from "../read-movement.ts";

/** Keras `Conv2D`: kernel (kh, kw, channels / groups, filters) and bias (filters). */
export const conv2d: LayerHandler = (context) => {
  const { layer } = context;
  const input = imageInput(context);
  const channels = input.shape[2];
  const movement = readMovement(layer);
  const filters = readSize(layer, "filters");
  const group = readSize(layer, "groups", 1);
  if (channels % group !== 0 || filters % group !== 0) {
    throw invalidModel(
      `layer "${layer.name}" (Conv2D): expected groups to divide ${channels} channels and ${filters} filters, got ${group}`,
    );
  }
  const shape = [...movement.kernel, channels / group, filters] as const;
  const kernel = addKernel(context, "kernel", context.weight("kernel", shape), shape);
  const output = addConvolution(context, input, movement, {
    group,
    kernel,
    filters,
    ...addBias(context, filters),
  });
  return { ...output, name: addActivation(context, output) };
};
