import { addAffine } from "../affine.ts";
import { unsupportedLayer } from "../convert-error.ts";
import { showJson } from "../keras-format/json.ts";
import type { LayerContext, LayerHandler, TensorRef } from "../layer-handler.ts";
import { oneInput } from "../layer-inputs.ts";
import { add } from "./add.ts";
import { multiply } from "./multiply.ts";

/** Keras 3's `x + 3`, with the tensor on either side. */
export const addNumber: LayerHandler = (context) => addOperation(context, "sum");

/** Keras 3's `x * 3`, with the tensor on either side. */
export const multiplyNumber: LayerHandler = (context) => addOperation(context, "product");

/** What tf.keras writes for `x + y`, `x + 3`, `x * 3` without a layer; its setting `function` says which. */
export const tfOperation: LayerHandler = (context) => {
  const { layer } = context;
  const name = layer.config.function;
  const kind = typeof name === "string" ? tfFunctions.get(name) : undefined;
  if (!kind) {
    const known = [...tfFunctions.keys()].join(", ");
    throw unsupportedLayer(layer, `function is ${showJson(name)}; supported: ${known}`);
  }
  if (Object.keys(context.numbers).length > 0) return addOperation(context, kind);
  return kind === "sum" ? add(context) : multiply(context);
};

type Kind = "sum" | "product";

/** What tf.keras may name as a function, and what it does. */
export const tfFunctions: ReadonlyMap<string, Kind> = new Map([
  ["__operators__.add", "sum"],
  ["math.add", "sum"],
  ["math.multiply", "product"],
]);

function addOperation(context: LayerContext, kind: Kind): TensorRef {
  const input = oneInput(context);
  const [number, ...others] = Object.values(context.numbers);
  if (number === undefined || others.length > 0) {
    throw unsupportedLayer(
      context.layer,
      `takes ${others.length + (number === undefined ? 0 : 1)} numbers; expected 1`,
    );
  }
  const affine = kind === "sum" ? { shift: number } : { scale: number };
  return { name: addAffine(context, input, affine), shape: input.shape };
}
