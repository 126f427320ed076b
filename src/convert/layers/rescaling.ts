import { addAffine } from "../affine.ts";
import type { LayerHandler } from "../layer-handler.ts";
import { oneInput } from "../layer-inputs.ts";
import { readNumbers } from "../layer-settings.ts";

/** Keras `Rescaling`: x * scale + offset, each one number or one for each channel. */
export const rescaling: LayerHandler = (context) => {
  const { layer } = context;
  const input = oneInput(context);
  const channels = input.shape.at(-1)!;
  const scale = readNumbers(layer, "scale", channels);
  const shift = readNumbers(layer, "offset", channels, 0);
  return { name: addAffine(context, input, { scale, shift }), shape: input.shape };
};
