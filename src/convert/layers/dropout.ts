import type { LayerHandler } from "../layer-handler.ts";
import { oneInput } from "../layer-inputs.ts";

/** Keras `Dropout`, and other layers that do nothing at inference: noise, and what counts for the loss alone. */
export const dropout: LayerHandler = (context) => oneInput(context);
