import { addAffine } from "./affine.ts";
import { unsupportedLayer } from "./convert-error.ts";
import { float, int } from "./graph.ts";
import { showJson } from "./keras-format/json.ts";
import type { LayerContext, TensorRef } from "./layer-handler.ts";

type Activation = (context: LayerContext, input: TensorRef) => string;

/** An activation that is one operator. */
const operator =
  (op: string): Activation =>
  (context, { name }) =>
    context.node(op, [name]);

/** Keras's activations by name, each as nodes on a tensor; a Map, so that no inherited name is found. */
const activations: ReadonlyMap<string, Activation> = new Map<string, Activation>([
  ["linear", (_context, { name }) => name],
  ["relu", operator("Relu")],
  ["relu6", (context, { name }) => addClip(context, name, 6)],
  ["sigmoid", operator("Sigmoid")],
  ["tanh", operator("Tanh")],
  // Keras works on the last axis, which is axis 1 in the graph for rank 1 and rank 3 alike.
  ["softmax", (context, { name }) => context.node("Softmax", [name], { axis: int(1) })],
  ["elu", (context, { name }) => context.node("Elu", [name], { alpha: float(1) })],
  ["selu", operator("Selu")],
  ["softplus", operator("Softplus")],
  ["softsign", operator("Softsign")],
  ["swish", addSwish],
  ["silu", addSwish],
  // By its name, Keras's is not the approximation by tanh; nor is ONNX's.
  ["gelu", operator("Gelu")],
  ["exponential", operator("Exp")],
  ["hard_sigmoid", addHardSigmoid],
  ["hard_swish", addHardSwish],
  ["hard_silu", addHardSwish],
]);

/**
 * Adds the activation that the layer's setting names; none and null are linear.
 * @throws EmbedError `CONVERT_UNSUPPORTED_LAYER`
 */
export function addActivation(context: LayerContext, input: TensorRef): string {
  const name = context.layer.config.activation ?? "linear";
  const activation = typeof name === "string" ? activations.get(name) : undefined;
  if (!activation) {
    const known = [...activations.keys()].join(", ");
    throw unsupportedLayer(context.layer, `activation is ${showJson(name)}; supported: ${known}`);
  }
  return activation(context, input);
}

/** min(max(x, 0), max). Clip takes its limits as tensors since opset 11. */
export function addClip(context: LayerContext, input: string, max: number): string {
  const limits = [addScalar(context, "clip_min", 0), addScalar(context, "clip_max", max)];
  return context.node("Clip", [input, ...limits]);
}

/** A constant of one number, which goes with any shape. */
export function addScalar(context: LayerContext, variable: string, value: number): string {
  return context.constant(variable, { kind: "float32", shape: [], data: Float32Array.of(value) });
}

function addSwish(context: LayerContext, { name }: TensorRef): string {
  return context.node("Mul", [name, context.node("Sigmoid", [name])]);
}

/** Keras 2 has 0.2 x + 0.5, Keras 3 has x / 6 + 0.5, both held to [0, 1]. */
function addHardSigmoid(context: LayerContext, input: TensorRef): string {
  if (context.kerasVersion === undefined) {
    const message =
      "activation is hard_sigmoid, which Keras 2 and Keras 3 compute differently; expected an input layer that tells them apart, by batch_input_shape or batch_shape";
    throw unsupportedLayer(context.layer, message);
  }
  return addHardRamp(context, input, context.kerasVersion === 2 ? 0.2 : 1 / 6);
}

/** x * (x / 6 + 0.5 held to [0, 1]). */
function addHardSwish(context: LayerContext, input: TensorRef): string {
  return context.node("Mul", [input.name, addHardRamp(context, input, 1 / 6)]);
}

function addHardRamp(context: LayerContext, input: TensorRef, slope: number): string {
  return addClip(context, addAffine(context, input, { scale: slope, shift: 0.5 }, "hard"), 1);
}
