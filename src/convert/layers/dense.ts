import { addActivation } from "../activations.ts";
import { formatShape, unsupportedLayer } from "../convert-error.ts";
import type { LayerHandler } from "../layer-handler.ts";
import { oneInput } from "../layer-inputs.ts";
import { readFlag, readSize } from "../layer-settings.ts";

/** Keras `Dense` on (D): kernel (D, units) and bias (units). */
export const dense: LayerHandler = (context) => {
  const { layer } = context;
  const input = oneInput(context);
  if (input.shape.length !== 1) {
    throw unsupportedLayer(layer, `takes shape ${formatShape(input.shape)}; expected (dimension,)`);
  }
  const units = readSize(layer, "units");
  const shape = [input.shape[0]!, units];
  const kernel = context.constant("kernel", {
    kind: "float32",
    shape,
    data: context.weight("kernel", shape),
  });
  const tensors = [input.name, kernel];
  if (readFlag(layer, "use_bias", true)) {
    const data = context.weight("bias", [units]);
    tensors.push(context.constant("bias", { kind: "float32", shape: [units], data }));
  }
  return { name: addActivation(context, context.node("Gemm", tensors)), shape: [units] };
};
