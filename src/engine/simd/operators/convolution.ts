import { EmbedError } from "../../../errors.ts";
import { listWeights, type ReadWeights } from "../filter-weights.ts";
import type { OperatorHandler } from "../planner.ts";
import { readWindow, slide } from "../window.ts";
import { addConvolution, readBias } from "./add-convolution.ts";
import { addDepthwise } from "./add-depthwise.ts";

/** ONNX `Conv` with kernels (filters, channels / group, height, width): by product, by Winograd, or by channel. */
export const convolution: OperatorHandler = (planner, node) => {
  const input = planner.input(node);
  const { shape } = planner.constant(node, 1);
  const [filters = 0, groupChannels = 0, height = 0, width = 0] = shape;
  const group = planner.number(node, "group", 1);
  if (shape.length !== 4 || groupChannels * group !== input.channels || filters % group !== 0) {
    throw new EmbedError(
      "MODEL_CORRUPT",
      `node "${node.name}": expected weights (filters, ${input.channels} / ${group}, height, width), got (${shape.join(", ")})`,
    );
  }
  const window = readWindow(node, [height, width]);
  if (window.kernel[0] !== height || window.kernel[1] !== width) {
    throw new EmbedError(
      "MODEL_CORRUPT",
      `node "${node.name}": kernel_shape ${window.kernel.join("x")} differs from its weights`,
    );
  }
  const output = slide(node, window, input, filters);
  const bias = readBias(planner, node, filters);
  if (group > 1 && groupChannels === 1 && filters === group) {
    addDepthwise(planner, node, { input, output, window, weights: planner.floats(node, 1), bias });
    return;
  }
  const taps = height * width;
  const readValues = planner.lazyFloats(node, 1);
  const readWeights: ReadWeights = () => {
    const values = readValues();
    if (group === 1) return { values, filterStep: groupChannels * taps, channelStep: taps, tapStep: 1 };
    // Groups are a product with zeros where a filter does not look.
    return listWeights({ filters, channels: input.channels, taps }, (filter, channel, tap) => {
      const inGroup = channel - Math.floor((filter * group) / filters) * groupChannels;
      const isSeen = inGroup >= 0 && inGroup < groupChannels;
      return isSeen ? values[(filter * groupChannels + inGroup) * taps + tap]! : 0;
    });
  };
  addConvolution(planner, node, { input, output, window, readWeights, bias });
};
