import { formatShape, unsupportedLayer } from "./convert-error.ts";
import type { LayerContext, TensorRef } from "./layer-handler.ts";

/** The one input of a layer that takes one. */
export function oneInput(context: LayerContext): TensorRef {
  const [input, ...others] = context.inputs;
  if (!input || others.length > 0) {
    throw unsupportedLayer(context.layer, `takes ${context.inputs.length} inputs; expected 1`);
  }
  return input;
}

/** The one input of a layer that takes pictures: (height, width, channels). */
export function imageInput(context: LayerContext): {
  readonly name: string;
  readonly shape: readonly [height: number, width: number, channels: number];
} {
  const { name, shape } = oneInput(context);
  if (shape.length !== 3) {
    throw unsupportedLayer(
      context.layer,
      `takes shape ${formatShape(shape)}; expected (height, width, channels)`,
    );
  }
  return { name, shape: [shape[0]!, shape[1]!, shape[2]!] };
}
