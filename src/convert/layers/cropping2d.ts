import type { LayerHandler } from "../layer-handler.ts";
import { imageInput } from "../layer-inputs.ts";
import { readMargins, requireSetting } from "../layer-settings.ts";

/** Keras `Cropping2D`: rows and columns cut off at the edges. */
export const cropping2d: LayerHandler = (context) => {
  const input = imageInput(context);
  const [height, width, channels] = input.shape;
  requireSetting(context.layer, "data_format", "channels_last");
  const [[top, bottom], [left, right]] = readMargins(context.layer, "cropping");
  // Slice takes all as tensors since opset 10; axes 2 and 3 are height and width.
  const pair = (variable: string, first: number, second: number) =>
    context.constant(variable, { kind: "int64", shape: [2], data: [first, second] });
  const inputs = [
    input.name,
    pair("starts", top, left),
    pair("ends", height - bottom, width - right),
    pair("axes", 2, 3),
  ];
  return {
    name: context.node("Slice", inputs),
    shape: [height - top - bottom, width - left - right, channels],
  };
};
