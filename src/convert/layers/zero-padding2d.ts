import { addScalar } from "../activations.ts";
import type { LayerHandler } from "../layer-handler.ts";
import { imageInput } from "../layer-inputs.ts";
import { readMargins, requireSetting } from "../layer-settings.ts";

/**
 * Keras `ZeroPadding2D`. The pass `foldPadding` takes it away where the next node can pad for itself.
 *
 * Its zero is a negative one, which is a zero to Keras too: onnxruntime lets any max pool behind a `Pad` of positive zeros
 * pad for itself, with minus infinity, which is wrong for values below zero.
 */
export const zeroPadding2d: LayerHandler = (context) => {
  const input = imageInput(context);
  const [height, width, channels] = input.shape;
  requireSetting(context.layer, "data_format", "channels_last");
  const [[top, bottom], [left, right]] = readMargins(context.layer, "padding");
  // One start and one end for each of N, C, H, W. Pad takes them as a tensor since opset 11.
  const data = [0, 0, top, left, 0, 0, bottom, right];
  const pads = context.constant("pads", { kind: "int64", shape: [data.length], data });
  return {
    name: context.node("Pad", [input.name, pads, addScalar(context, "zero", -0)]),
    shape: [height + top + bottom, width + left + right, channels],
  };
};
