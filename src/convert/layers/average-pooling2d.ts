import { int } from "../graph.ts";
import type { LayerHandler } from "../layer-handler.ts";
import { addPool } from "../pool.ts";

/** Keras `AveragePooling2D`: TensorFlow leaves padded pixels out of the mean. */
export const averagePooling2d: LayerHandler = (context) =>
  addPool(context, "AveragePool", { count_include_pad: int(0) });
