import { invalidModel } from "../convert-error.ts";
import { ints } from "../graph.ts";
import { showJson } from "../keras-format/json.ts";
import type { LayerHandler } from "../layer-handler.ts";
import { imageInput } from "../layer-inputs.ts";

/** Keras `Permute` of a picture's axes, of which height is 1, width 2 and the channels 3. */
export const permute: LayerHandler = (context) => {
  const { layer } = context;
  const input = imageInput(context);
  const { dims } = layer.config;
  const isOrder = Array.isArray(dims) && dims.length === 3 && [1, 2, 3].every((axis) => dims.includes(axis));
  if (!isOrder) {
    throw invalidModel(
      `layer "${layer.name}" (Permute): expected dims to be 1, 2 and 3 in some order, got ${showJson(dims)}`,
    );
  }
  const order = dims as unknown as readonly [1 | 2 | 3, 1 | 2 | 3, 1 | 2 | 3];
  // Where the graph has what Keras calls axis 1, 2 and 3; the graph's own order is channels, height, width.
  const inGraph = { 1: 2, 2: 3, 3: 1 } as const;
  const [height, width, channels] = order;
  const perm = [0, inGraph[channels], inGraph[height], inGraph[width]];
  return {
    name: context.node("Transpose", [input.name], { perm: ints(perm) }),
    shape: order.map((axis) => input.shape[axis - 1]!),
  };
};
