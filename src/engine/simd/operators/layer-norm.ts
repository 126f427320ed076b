import { EmbedError } from "../../../errors.ts";
import { isChannelAxis } from "../axes.ts";
import type { OperatorHandler } from "../planner.ts";
import { createSlot } from "../tensor-slot.ts";

/** ONNX `LayerNormalization` over channels that are last: scale and bias by channel. */
export const layerNormalization: OperatorHandler = (planner, node) => {
  const input = planner.input(node);
  const axes = planner.axes(node);
  const axis = planner.number(node, "axis", -1);
  if (!isChannelAxis(axes, axis) || !axes.endsWith("C"))
    throw planner.refuse(node, `axis ${axis} of ${axes} is not known; known: the last, of the channels`);
  const gamma = planner.floats(node, 1);
  const beta = node.inputs[2] ? planner.floats(node, 2) : new Float32Array(input.channels);
  if (gamma.length !== input.channels || beta.length !== input.channels) {
    throw new EmbedError(
      "MODEL_CORRUPT",
      `node "${node.name}": expected ${input.channels} values of each kind`,
    );
  }
  const output = createSlot(input.height, input.width, input.channels);
  planner.add(node, {
    kind: "layerNorm",
    node: node.name,
    input,
    output,
    gamma: planner.weights.add(output.stride, (target) => target.set(gamma)),
    beta: planner.weights.add(output.stride, (target) => target.set(beta)),
    epsilon: planner.number(node, "epsilon", 1e-5),
  });
};
