import { formatShape, unsupportedLayer } from "./convert-error.ts";
import type { Movement } from "./convolution.ts";
import type { KerasLayer } from "./keras-format/keras-model.ts";
import { readChoice, readSizePair, requireSetting } from "./layer-settings.ts";

/**
 * The window of a Keras convolution, from its settings.
 * @throws EmbedError `CONVERT_UNSUPPORTED_LAYER`, `CONVERT_INVALID`
 */
export function readMovement(layer: KerasLayer): Movement {
  requireSetting(layer, "data_format", "channels_last");
  const kernel = readSizePair(layer, "kernel_size");
  const strides = readSizePair(layer, "strides", [1, 1]);
  const dilation = readSizePair(layer, "dilation_rate", [1, 1]);
  // TensorFlow itself refuses this pair, so no file trained with it can exist.
  if (Math.max(...dilation) > 1 && Math.max(...strides) > 1) {
    throw unsupportedLayer(
      layer,
      `dilation_rate is ${formatShape(dilation)} with strides ${formatShape(strides)}; one of them must be (1, 1)`,
    );
  }
  return { kernel, strides, dilation, padding: readChoice(layer, "padding", ["valid", "same"]) };
}
