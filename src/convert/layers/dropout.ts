import type { LayerHandler } from "../layer-handler.ts";
import { oneInput } from "../layer-inputs.ts";

/**
 * Keras `Dropout`, and other layers that do nothing at inference: noise, what counts for the loss alone, and what varies
 * pictures at random. `RandomCrop` is none of them: at inference it cuts out the middle.
 */
export const dropout: LayerHandler = (context) => oneInput(context);
