import { addActivation } from "../activations.ts";
import type { LayerHandler } from "../layer-handler.ts";
import { oneInput } from "../layer-inputs.ts";

/** Keras `Activation`: the function that its setting `activation` names. */
export const activation: LayerHandler = (context) => {
  const input = oneInput(context);
  return { name: addActivation(context, input), shape: input.shape };
};
