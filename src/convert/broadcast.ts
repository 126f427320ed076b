import { formatShape, unsupportedLayer } from "./convert-error.ts";
import type { LayerHandler } from "./layer-handler.ts";

/**
 * A Keras layer that joins tensors value by value, from the left as Keras does, as the ONNX operator `op`. A size of 1
 * holds for every place, as the weights of channels do that an image is multiplied with.
 * @param verb for messages, for example "adds"
 */
export const joinLayer =
  (op: string, verb: string): LayerHandler =>
  (context) => {
    const [first, ...others] = context.inputs;
    if (!first || others.length === 0) {
      throw unsupportedLayer(context.layer, `takes ${context.inputs.length} input; expected at least 2`);
    }
    let { name, shape } = first;
    for (const other of others) {
      const joined = broadcast(shape, other.shape);
      if (!joined) {
        const shapes = `${formatShape(shape)} and ${formatShape(other.shape)}`;
        throw unsupportedLayer(
          context.layer,
          `${verb} shapes ${shapes}; expected equal sizes, or sizes of 1`,
        );
      }
      name = context.node(op, [name, other.name]);
      shape = joined;
    }
    return { name, shape };
  };

/** The shape of both together; undefined where they have none. */
function broadcast(a: readonly number[], b: readonly number[]): readonly number[] | undefined {
  const isJoined = a.length === b.length && a.every((size, i) => size === b[i] || size === 1 || b[i] === 1);
  return isJoined ? a.map((size, i) => Math.max(size, b[i]!)) : undefined;
}
