import { addAffine } from "../affine.ts";
import { formatShape, unsupportedLayer } from "../convert-error.ts";
import type { LayerHandler } from "../layer-handler.ts";
import { readNumber } from "../layer-settings.ts";

/** `CustomScaleLayer` of Keras's InceptionResNetV2: x + y * scale. */
export const customScaleLayer: LayerHandler = (context) => {
  const { layer, inputs } = context;
  const [x, y, ...others] = inputs;
  if (!x || !y || others.length > 0 || formatShape(x.shape) !== formatShape(y.shape)) {
    const shapes = inputs.map(({ shape }) => formatShape(shape)).join(" and ");
    throw unsupportedLayer(layer, `takes shapes ${shapes}; expected two equal ones`);
  }
  const scaled = addAffine(context, y, { scale: readNumber(layer, "scale") });
  return { name: context.node("Add", [x.name, scaled]), shape: x.shape };
};
