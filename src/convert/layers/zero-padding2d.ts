import type { LayerHandler } from "../layer-handler.ts";
import { imageInput } from "../layer-inputs.ts";
import { readMargins, requireSetting } from "../layer-settings.ts";

/** Keras `ZeroPadding2D`. The pass `foldPadding` takes it away where the next node can pad for itself. */
export const zeroPadding2d: LayerHandler = (context) => {
  const input = imageInput(context);
  const [height, width, channels] = input.shape;
  requireSetting(context.layer, "data_format", "channels_last");
  const [[top, bottom], [left, right]] = readMargins(context.layer, "padding");
  // One start and one end for each of N, C, H, W. Pad takes them as a tensor since opset 11.
  const data = [0, 0, top, left, 0, 0, bottom, right];
  const pads = context.constant("pads", { kind: "int64", shape: [data.length], data });
  return {
    name: context.node("Pad", [input.name, pads]),
    shape: [height + top + bottom, width + left + right, channels],
  };
};
