import { EmbedError } from "../../../errors.ts";
import type { ReadWeights } from "../filter-weights.ts";
import type { OperatorHandler } from "../planner.ts";
import { pointWindow, slide } from "../window.ts";
import { addConvolution, readBias } from "./add-convolution.ts";

/** ONNX `Gemm` of a vector and a constant matrix: a convolution of one pixel. */
export const gemm: OperatorHandler = (planner, node) => {
  const input = planner.input(node);
  const { shape } = planner.constant(node, 1);
  const isTurned = planner.number(node, "transB", 0) !== 0;
  const [rows = 0, columns = 0] = isTurned ? shape.toReversed() : shape;
  if (shape.length !== 2 || rows !== input.channels) {
    throw new EmbedError(
      "MODEL_CORRUPT",
      `node "${node.name}": a matrix (${shape.join(", ")}) does not take ${input.channels} values`,
    );
  }
  const readMatrix = planner.lazyFloats(node, 1);
  const steps = isTurned ? { filterStep: rows, channelStep: 1 } : { filterStep: 1, channelStep: columns };
  const readWeights: ReadWeights = () => ({ values: readMatrix(), ...steps, tapStep: 0 });
  const bias = readBias(planner, node, columns);
  const output = slide(node, pointWindow, input, columns);
  addConvolution(planner, node, { input, output, window: pointWindow, readWeights, bias });
};
