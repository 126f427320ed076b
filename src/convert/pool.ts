import { type Attributes, ints } from "./graph.ts";
import type { LayerContext, TensorRef } from "./layer-handler.ts";
import { imageInput } from "./layer-inputs.ts";
import { readChoice, readFlag, readSizePair, requireSetting } from "./layer-settings.ts";
import { placeWindow } from "./window.ts";

/** A Keras pooling layer with a window, as the ONNX operator `op`. */
export function addPool(context: LayerContext, op: string, attributes: Attributes = {}): TensorRef {
  const { layer } = context;
  const input = imageInput(context);
  const [height, width, channels] = input.shape;
  requireSetting(layer, "data_format", "channels_last");
  const kernel = readSizePair(layer, "pool_size");
  const strides = readSizePair(layer, "strides", kernel);
  const padding = readChoice(layer, "padding", ["valid", "same"]);
  const { pads, output } = placeWindow({
    input: [height, width],
    kernel,
    strides,
    dilation: [1, 1],
    padding,
  });
  const name = context.node(op, [input.name], {
    ...attributes,
    kernel_shape: ints(kernel),
    pads: ints(pads),
    strides: ints(strides),
  });
  return { name, shape: [...output, channels] };
}

/** A Keras layer that pools a whole picture to one value a channel, as the ONNX operator `op`. */
export function addGlobalPool(context: LayerContext, op: string): TensorRef {
  const input = imageInput(context);
  const channels = input.shape[2];
  requireSetting(context.layer, "data_format", "channels_last");
  const pooled = context.node(op, [input.name]);
  if (readFlag(context.layer, "keepdims", false)) return { name: pooled, shape: [1, 1, channels] };
  // (N, C, 1, 1) -> (N, C).
  return { name: context.node("Flatten", [pooled]), shape: [channels] };
}
