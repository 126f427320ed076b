import { EmbedError } from "../../../errors.ts";
import type { OperatorHandler, Planner } from "../planner.ts";
import type { OnnxNode } from "../read-onnx-graph.ts";
import { layoutWindow, pointWindow, readWindow, slide, type Window } from "../window.ts";

type Takes = "largest" | "mean";

/** ONNX `MaxPool` and `AveragePool`. */
export const pool =
  (takes: Takes): OperatorHandler =>
  (planner, node) => {
    const window = readWindow(node, [0, 0]);
    if (window.dilations.some((step) => step !== 1)) throw planner.refuse(node, "dilations are not known");
    const { kernel, pads } = window;
    if (pads.some((size, side) => size >= kernel[(side % 2) as 0 | 1])) {
      throw new EmbedError(
        "MODEL_CORRUPT",
        `node "${node.name}": expected pads smaller than the window ${kernel.join("x")}, got ${pads.join(", ")}`,
      );
    }
    const countsPadding = planner.number(node, "count_include_pad", 0) !== 0;
    addPool(planner, node, takes, window, countsPadding ? kernel[0] * kernel[1] : 0);
  };

/** ONNX `GlobalMaxPool` and `GlobalAveragePool`: one window over the whole picture. */
export const globalPool =
  (takes: Takes): OperatorHandler =>
  (planner, node) => {
    const { height, width } = planner.input(node);
    addPool(planner, node, takes, { ...pointWindow, kernel: [height, width] }, 0);
  };

/** @param divisor of a mean; 0: as many values as lie within the picture */
function addPool(planner: Planner, node: OnnxNode, takes: Takes, window: Window, divisor: number): void {
  const input = planner.input(node);
  const output = slide(node, window, input, input.channels);
  const address = planner.weights.addInts(layoutWindow(window, input, output));
  planner.add(node, { kind: "pool", takes, node: node.name, input, output, window: address, divisor });
}
