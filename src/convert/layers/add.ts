import { formatShape, unsupportedLayer } from "../convert-error.ts";
import type { LayerHandler } from "../layer-handler.ts";

/** Keras `Add`: the sum of two or more tensors of one shape, added from the left as Keras does. */
export const add: LayerHandler = (context) => {
  const [first, ...others] = context.inputs;
  if (!first || others.length === 0) {
    throw unsupportedLayer(context.layer, `takes ${context.inputs.length} input; expected at least 2`);
  }
  let sum = first.name;
  for (const other of others) {
    if (formatShape(other.shape) !== formatShape(first.shape)) {
      const shapes = context.inputs.map((input) => formatShape(input.shape)).join(" and ");
      throw unsupportedLayer(context.layer, `adds shapes ${shapes}; expected equal shapes`);
    }
    sum = context.node("Add", [sum, other.name]);
  }
  return { name: sum, shape: first.shape };
};
