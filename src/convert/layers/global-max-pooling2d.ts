import type { LayerHandler } from "../layer-handler.ts";
import { addGlobalPool } from "../pool.ts";

/** Keras `GlobalMaxPooling2D`. */
export const globalMaxPooling2d: LayerHandler = (context) => addGlobalPool(context, "GlobalMaxPool");
