import { formatShape, invalidModel, unsupportedLayer } from "../convert-error.ts";
import { isCount, showJson } from "../keras-format/json.ts";
import type { KerasLayer } from "../keras-format/keras-model.ts";
import type { KerasVersion } from "../layer-handler.ts";

/**
 * The shape that a Keras `InputLayer` takes, without the batch: (height, width, channels) or (dimension). A
 * network without a top may leave height and width open; `wanted` then fills them in.
 * @throws EmbedError `CONVERT_INVALID`; `CONVERT_UNSUPPORTED_LAYER` if `wanted` does not fit it
 */
export function readInputShape(layer: KerasLayer, wanted: readonly number[]): readonly number[] {
  // Keras 2 calls it batch_input_shape, Keras 3 batch_shape.
  const shape = layer.config.batch_input_shape ?? layer.config.batch_shape;
  if (!Array.isArray(shape) || !shape.every((size) => size === null || isCount(size))) {
    throw invalidModel(
      `layer "${layer.name}" (InputLayer): expected batch_input_shape to be a list, got ${showJson(shape)}`,
    );
  }
  if (shape.length !== 4 && shape.length !== 2) {
    const expected = "(batch, height, width, channels) or (batch, dimension)";
    throw unsupportedLayer(layer, `batch_input_shape is ${showJson(shape)}; expected ${expected}`);
  }
  const open = shape.slice(1) as readonly (number | null)[];
  const isTaken = open.every((size, axis) => size === null || size === wanted[axis]);
  if (open.length !== wanted.length || !isTaken) {
    throw unsupportedLayer(
      layer,
      `batch_input_shape is ${showJson(shape)}; it does not take ${formatShape(wanted)}`,
    );
  }
  return wanted;
}

/** Which Keras wrote an `InputLayer`: they have different names for its shape. */
export function readKerasVersion({ config }: KerasLayer): KerasVersion | undefined {
  if (Array.isArray(config.batch_input_shape)) return 2;
  return Array.isArray(config.batch_shape) ? 3 : undefined;
}
