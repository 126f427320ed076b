import type { JsonObject } from "./json.ts";

type Variables = (config: JsonObject) => readonly string[];

const kernelAndBias =
  (...kernels: string[]): Variables =>
  ({ use_bias }) =>
    use_bias === false ? kernels : [...kernels, "bias"];

const scaleAndShift: Variables = ({ scale, center }) => [
  ...(scale === false ? [] : ["gamma"]),
  ...(center === false ? [] : ["beta"]),
];

/**
 * The variables of a layer, in the order in which Keras 3 numbers them: as `build` adds them, those that are
 * trained first (`Layer.save_own_variables` in keras/src/layers/layer.py). The names are Keras 2's.
 */
const variablesByClass: ReadonlyMap<string, Variables> = new Map<string, Variables>([
  ["BatchNormalization", (config) => [...scaleAndShift(config), "moving_mean", "moving_variance"]],
  ["Conv2D", kernelAndBias("kernel")],
  ["Conv2DTranspose", kernelAndBias("kernel")],
  ["Dense", kernelAndBias("kernel")],
  ["DepthwiseConv2D", kernelAndBias("depthwise_kernel")],
  ["GroupNormalization", scaleAndShift],
  ["LayerNormalization", scaleAndShift],
  // Of ConvNeXt.
  ["LayerScale", () => ["gamma"]],
  ["Normalization", () => ["mean", "variance", "count"]],
  ["PReLU", () => ["alpha"]],
  ["SeparableConv2D", kernelAndBias("depthwise_kernel", "pointwise_kernel")],
]);

/** Undefined for a class whose order of variables is not known. */
export function listVariables(className: string, config: JsonObject): readonly string[] | undefined {
  return variablesByClass.get(className)?.(config);
}

/**
 * One name for one weight. Keras 3 calls a depthwise convolution's kernel `kernel`, Keras 2 `depthwise_kernel`;
 * ConvNeXt's only weight of a layer of its own has no name at all, or one that a counter gave: `variable_3`.
 */
export function variableOf(className: string, variable: string): string {
  if (className === "DepthwiseConv2D" && variable === "kernel") return "depthwise_kernel";
  return className === "LayerScale" ? "gamma" : variable;
}
