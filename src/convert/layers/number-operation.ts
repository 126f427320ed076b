import { type Affine, addAffine } from "../affine.ts";
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

/** Keras 3's `x - 3` and `3 - x`. */
export const subtractNumber: LayerHandler = (context) => addOperation(context, "difference");

/** Keras 3's `x / 3`; not `3 / x`. */
export const divideByNumber: LayerHandler = (context) => addOperation(context, "quotient");

/** What tf.keras writes for `x + y`, `x + 3`, `x * 3`, `x / 3` without a layer; its setting `function` says which. */
export const tfOperation: LayerHandler = (context) => {
  const { layer } = context;
  const name = layer.config.function;
  const kind = typeof name === "string" ? tfFunctions.get(name) : undefined;
  if (!kind) {
    const known = [...tfFunctions.keys()].join(", ");
    throw unsupportedLayer(layer, `function is ${showJson(name)}; supported: ${known}`);
  }
  if (Object.keys(context.numbers).length > 0) return addOperation(context, kind);
  if (kind === "sum") return add(context);
  if (kind === "product") return multiply(context);
  throw unsupportedLayer(
    layer,
    `function is ${showJson(name)} of tensors; supported: of a tensor and a number`,
  );
};

type Kind = "sum" | "product" | "difference" | "quotient";

/** What tf.keras may name as a function, and what it does. */
export const tfFunctions: ReadonlyMap<string, Kind> = new Map([
  ["__operators__.add", "sum"],
  ["math.add", "sum"],
  ["math.multiply", "product"],
  ["math.subtract", "difference"],
  ["math.truediv", "quotient"],
]);

function addOperation(context: LayerContext, kind: Kind): TensorRef {
  const input = oneInput(context);
  const [argument, ...others] = Object.entries(context.numbers);
  if (argument === undefined || others.length > 0) {
    throw unsupportedLayer(
      context.layer,
      `takes ${others.length + (argument === undefined ? 0 : 1)} numbers; expected 1`,
    );
  }
  const [place, number] = argument;
  const affine = affineOf(context, kind, number, place === "0");
  return { name: addAffine(context, input, affine), shape: input.shape };
}

/** @param isFirst whether the number stands before the tensor */
function affineOf({ layer }: LayerContext, kind: Kind, number: number, isFirst: boolean): Affine {
  if (kind === "sum") return { shift: number };
  if (kind === "product") return { scale: number };
  if (kind === "difference") return isFirst ? { scale: -1, shift: number } : { shift: -number };
  if (isFirst) throw unsupportedLayer(layer, "divides a number by a tensor; supported: a tensor by a number");
  if (number === 0) throw unsupportedLayer(layer, "divides by 0");
  return { scale: 1 / number };
}
