import type { LayerHandler } from "../layer-handler.ts";
import { addPool } from "../pool.ts";

/** Keras `MaxPooling2D`: padding counts as minus infinity, in TensorFlow as in ONNX. */
export const maxPooling2d: LayerHandler = (context) => addPool(context, "MaxPool");
