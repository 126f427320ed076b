import { formatShape, invalidModel } from "../convert-error.ts";
import { int } from "../graph.ts";
import type { LayerHandler } from "../layer-handler.ts";
import { requireLastAxis } from "../layer-settings.ts";

/** Keras `Concatenate` over the last axis: the channels of pictures, or vectors end to end. */
export const concatenate: LayerHandler = (context) => {
  const { layer, inputs } = context;
  const [first] = inputs;
  const head = first!.shape.slice(0, -1);
  requireLastAxis(layer, first!.shape.length);
  if (inputs.some(({ shape }) => formatShape(shape.slice(0, -1)) !== formatShape(head))) {
    const shapes = inputs.map(({ shape }) => formatShape(shape)).join(" and ");
    throw invalidModel(
      `layer "${layer.name}" (Concatenate): takes shapes ${shapes}; expected them to differ in the last axis only`,
    );
  }
  const channels = inputs.reduce((sum, { shape }) => sum + shape.at(-1)!, 0);
  const names = inputs.map(({ name }) => name);
  return { name: context.node("Concat", names, { axis: int(1) }), shape: [...head, channels] };
};
