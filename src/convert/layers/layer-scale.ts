import { addAffine } from "../affine.ts";
import type { LayerHandler } from "../layer-handler.ts";
import { oneInput } from "../layer-inputs.ts";

/** `LayerScale` of Keras's ConvNeXt: x * gamma by channel. */
export const layerScale: LayerHandler = (context) => {
  const input = oneInput(context);
  const scale = context.weight("gamma", [input.shape.at(-1)!]);
  return { name: addAffine(context, input, { scale }), shape: input.shape };
};
