import { unsupportedLayer } from "../convert-error.ts";
import type { KerasLayer } from "../keras-format/keras-model.ts";
import type { LayerHandler } from "../layer-handler.ts";
import { layerTable } from "./layer-table.ts";

/** @throws EmbedError `CONVERT_UNSUPPORTED_LAYER` naming the layer and the classes that are known */
export function findHandler(layer: KerasLayer): LayerHandler {
  if (layer.className === "Lambda") throw unsupportedLayer(layer, "holds Python code, which is never run");
  const handler = layerTable.get(layer.className);
  if (handler) return handler;
  const known = [...layerTable.keys()].join(", ");
  throw unsupportedLayer(layer, `this layer class cannot be converted; known classes: ${known}`);
}
