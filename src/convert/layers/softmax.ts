import { int } from "../graph.ts";
import type { LayerHandler } from "../layer-handler.ts";
import { oneInput } from "../layer-inputs.ts";
import { requireLastAxis } from "../layer-settings.ts";

/** Keras `Softmax` over the last axis, which is axis 1 in the graph. */
export const softmax: LayerHandler = (context) => {
  const { name, shape } = oneInput(context);
  requireLastAxis(context.layer, shape.length);
  return { name: context.node("Softmax", [name], { axis: int(1) }), shape };
};
