import type { LayerHandler } from "../layer-handler.ts";
import { oneInput } from "../layer-inputs.ts";

/** Keras `Dropout` drops nothing at inference. */
export const dropout: LayerHandler = (context) => oneInput(context);
