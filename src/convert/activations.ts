import { unsupportedLayer } from "./convert-error.ts";
import { float, int } from "./graph.ts";
import { showJson } from "./keras-format/json.ts";
import type { LayerContext } from "./layer-handler.ts";

type Activation = (context: LayerContext, input: string) => string;

/** Keras's activations by name, each as nodes on the tensor `input`; a Map, so that no inherited name is found. */
const activations: ReadonlyMap<string, Activation> = new Map<string, Activation>([
  ["linear", (_context, input) => input],
  ["relu", (context, input) => context.node("Relu", [input])],
  ["relu6", (context, input) => addClip(context, input, 6)],
  ["sigmoid", (context, input) => context.node("Sigmoid", [input])],
  ["tanh", (context, input) => context.node("Tanh", [input])],
  // Keras works on the last axis, which is axis 1 in the graph for rank 1 and rank 3 alike.
  ["softmax", (context, input) => context.node("Softmax", [input], { axis: int(1) })],
  ["elu", (context, input) => context.node("Elu", [input], { alpha: float(1) })],
  ["selu", (context, input) => context.node("Selu", [input])],
  ["softplus", (context, input) => context.node("Softplus", [input])],
  ["softsign", (context, input) => context.node("Softsign", [input])],
  ["swish", addSwish],
  ["silu", addSwish],
]);

/**
 * Adds the activation that the layer's setting names; none and null are linear.
 * @throws EmbedError `CONVERT_UNSUPPORTED_LAYER`
 */
export function addActivation(context: LayerContext, input: string): string {
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
  const scalar = (value: number) => ({ kind: "float32", shape: [], data: Float32Array.of(value) }) as const;
  const limits = [context.constant("clip_min", scalar(0)), context.constant("clip_max", scalar(max))];
  return context.node("Clip", [input, ...limits]);
}

function addSwish(context: LayerContext, input: string): string {
  return context.node("Mul", [input, context.node("Sigmoid", [input])]);
}
