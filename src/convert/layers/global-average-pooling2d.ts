import type { LayerHandler } from "../layer-handler.ts";
import { addGlobalPool } from "../pool.ts";

/** Keras `GlobalAveragePooling2D`. */
export const globalAveragePooling2d: LayerHandler = (context) => addGlobalPool(context, "GlobalAveragePool");
