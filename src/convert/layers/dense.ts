import { addActivation } from "../activations.ts";
import { addConvolution, addKernel, pointMovement } from "../convolution.ts";
import type { LayerHandler } from "../layer-handler.ts";
import { oneInput } from "../layer-inputs.ts";
import { readSize } from "../layer-settings.ts";
import { addBias } from "../layer-weights.ts";

/** Keras `Dense` on the last axis: kernel (D, units) and bias (units). On pictures it is a convolution of 1x1. */
export const dense: LayerHandler = (context) => {
  const { layer } = context;
  const input = oneInput(context);
  const units = readSize(layer, "units");
  const shape = [input.shape.at(-1)!, units] as const;
  const data = context.weight("kernel", shape);
  const bias = addBias(context, units);
  if (input.shape.length === 3) {
    const kernel = addKernel(context, "kernel", data, [1, 1, ...shape]);
    const output = addConvolution(context, input, pointMovement, {
      group: 1,
      kernel,
      filters: units,
      ...bias,
    });
    return { ...output, name: addActivation(context, output) };
  }
  const kernel = context.constant("kernel", { kind: "float32", shape, data });
  const product = context.node("Gemm", [input.name, kernel, ...Object.values(bias)]);
  const output = { name: product, shape: [units] };
  return { ...output, name: addActivation(context, output) };
};
