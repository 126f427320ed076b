import { formatShape, invalidModel, unsupportedLayer } from "../convert-error.ts";
import { ints } from "../graph.ts";
import { isCount, showJson } from "../keras-format/json.ts";
import type { KerasLayer } from "../keras-format/keras-model.ts";
import type { LayerHandler } from "../layer-handler.ts";
import { oneInput } from "../layer-inputs.ts";

/** Keras `Reshape` between pictures and vectors. Keras counts channels last, so the graph's order is turned before and behind. */
export const reshape: LayerHandler = (context) => {
  const { layer } = context;
  const { name, shape } = oneInput(context);
  const target = readTarget(layer, shape);
  if (target.length !== 1 && target.length !== 3) {
    throw unsupportedLayer(
      layer,
      `target_shape is ${formatShape(target)}; supported: (height, width, channels), (dimension,)`,
    );
  }
  const channelsLast = [0, 2, 3, 1];
  const isVector = (sizes: readonly number[]) => sizes.slice(0, -1).every((size) => size === 1);
  const turned =
    shape.length === 1 || isVector(shape)
      ? name
      : context.node("Transpose", [name], { perm: ints(channelsLast) });
  const give = (...sizes: number[]) => {
    // A size of 0 is that of the input: the batch.
    const data = [0, ...sizes];
    return context.node("Reshape", [
      turned,
      context.constant("target", { kind: "int64", shape: [data.length], data }),
    ]);
  };
  const [height, width, channels] = target;
  if (width === undefined || channels === undefined) return { name: give(height!), shape: target };
  if (isVector(target)) return { name: give(channels, 1, 1), shape: target };
  const picture = give(height!, width, channels);
  return { name: context.node("Transpose", [picture], { perm: ints([0, 3, 1, 2]) }), shape: target };
};

/** The setting `target_shape`, in which one size may be -1: as many as are left. */
function readTarget(layer: KerasLayer, shape: readonly number[]): readonly number[] {
  const target = layer.config.target_shape;
  const count = shape.reduce((a, b) => a * b, 1);
  if (!Array.isArray(target) || !target.every((size) => size === -1 || (isCount(size) && size > 0))) {
    throw invalidModel(
      `layer "${layer.name}" (Reshape): expected target_shape to be whole numbers from 1, or -1, got ${showJson(target)}`,
    );
  }
  const sizes = target as readonly number[];
  const product = sizes.filter((size) => size !== -1).reduce((a, b) => a * b, 1);
  const open = sizes.filter((size) => size === -1).length;
  const rest = count / product;
  if (open === 1 ? !Number.isInteger(rest) : open > 1 || rest !== 1) {
    throw invalidModel(
      `layer "${layer.name}" (Reshape): target_shape ${showJson(target)} does not hold the ${count} values of ${formatShape(shape)}`,
    );
  }
  return sizes.map((size) => (size === -1 ? rest : size));
}
