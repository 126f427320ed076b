import type { OperatorHandler } from "../planner.ts";
import { layoutWindow, readWindow, slide } from "../window.ts";

/** ONNX `MaxPool` and `AveragePool`. */
export const pool =
  (takes: "largest" | "mean"): OperatorHandler =>
  (planner, node) => {
    const input = planner.input(node);
    const window = readWindow(node, [0, 0]);
    if (window.dilations.some((step) => step !== 1)) throw planner.refuse(node, "dilations are not known");
    const output = slide(node, window, input, input.channels);
    const countsPadding = planner.number(node, "count_include_pad", 0) !== 0;
    planner.add(node, {
      kind: "pool",
      takes,
      node: node.name,
      input,
      output,
      window: planner.weights.addInts(layoutWindow(window, input, output)),
      divisor: countsPadding ? window.kernel[0] * window.kernel[1] : 0,
    });
  };

/** ONNX `GlobalMaxPool` and `GlobalAveragePool`: one window over the whole picture. */
export const globalPool =
  (takes: "largest" | "mean"): OperatorHandler =>
  (planner, node) => {
    const input = planner.input(node);
    const window = {
      kernel: [input.height, input.width],
      strides: [1, 1],
      pads: [0, 0, 0, 0],
      dilations: [1, 1],
    } as const;
    const output = slide(node, window, input, input.channels);
    planner.add(node, {
      kind: "pool",
      takes,
      node: node.name,
      input,
      output,
      window: planner.weights.addInts(layoutWindow(window, input, output)),
      divisor: 0,
    });
  };
