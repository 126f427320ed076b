import { EmbedError } from "../errors.ts";

/** What a message needs to name a layer. */
interface LayerName {
  readonly name: string;
  readonly className: string;
}

/** The model file contradicts itself or is not what it claims to be. */
export function invalidModel(message: string, cause?: unknown): EmbedError {
  return new EmbedError("CONVERT_INVALID", message, { cause });
}

/** The model is sound as far as it was read, but this converter lacks something that the layer needs. */
export function unsupportedLayer(layer: LayerName, message: string): EmbedError {
  return new EmbedError(
    "CONVERT_UNSUPPORTED_LAYER",
    `layer "${layer.name}" (${layer.className}): ${message}`,
  );
}

/** `[7, 7, 3, 64]` -> `(7, 7, 3, 64)`, as Python prints a shape. */
export function formatShape(shape: readonly number[]): string {
  return shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
}
