import { EmbedError } from "../../../errors.ts";
import { isChannelAxis, showShape } from "../axes.ts";
import { isVector, type OperatorHandler, readClamp } from "../planner.ts";
import { createSlot } from "../tensor-slot.ts";

/** ONNX `Add` and `Mul` of two tensors of one shape, or of a tensor and a vector of its channels. */
export const combine =
  (isProduct: boolean): OperatorHandler =>
  (planner, node) => {
    const inputs = [planner.input(node, 0), planner.input(node, 1)] as const;
    const [a, b] = isVector(inputs[0]) ? [inputs[1], inputs[0]] : inputs;
    const isSame = a.height === b.height && a.width === b.width;
    if (a.channels !== b.channels || !(isSame || isVector(b))) {
      const shapes = inputs.map((slot) => showShape(planner.axes(node), slot)).join(" and ");
      throw planner.refuse(node, `shapes ${shapes} are not joined`);
    }
    const output = createSlot(a.height, a.width, a.channels);
    const fused = planner.fuse(node, output, false);
    const { low, high } = fused;
    planner.add(node, { kind: "combine", node: node.name, isProduct, a, b, output, low, high }, fused);
  };

/** ONNX `Relu` and `Clip` where no step before them could take them along. */
export const clamp: OperatorHandler = (planner, node) => {
  const input = planner.input(node);
  const output = createSlot(input.height, input.width, input.channels);
  const bounds = readClamp(planner, node, node.inputs[0] ?? "");
  if (!bounds) throw planner.refuse(node, "its bounds are not known");
  const ones = planner.weights.add(output.stride, (target) => target.fill(1));
  const zeros = planner.weights.add(output.stride, () => undefined);
  planner.add(node, { kind: "scale", node: node.name, input, output, scale: ones, shift: zeros, ...bounds });
};

/** ONNX `BatchNormalization` at inference: scale, bias, mean and variance by channel. */
export const batchNormalization: OperatorHandler = (planner, node) => {
  const input = planner.input(node);
  const output = createSlot(input.height, input.width, input.channels);
  const [gamma, beta, mean, variance] = [1, 2, 3, 4].map((index) => planner.floats(node, index)) as [
    Float32Array,
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  if ([gamma, beta, mean, variance].some(({ length }) => length !== input.channels)) {
    throw new EmbedError(
      "MODEL_CORRUPT",
      `node "${node.name}": expected ${input.channels} values of each kind`,
    );
  }
  const epsilon = planner.number(node, "epsilon", 1e-5);
  const scales = gamma.map((value, channel) => value / Math.sqrt(variance[channel]! + epsilon));
  const fused = planner.fuse(node, output, false);
  planner.add(
    node,
    {
      kind: "scale",
      node: node.name,
      input,
      output,
      scale: planner.weights.add(output.stride, (target) => target.set(scales)),
      shift: planner.weights.add(output.stride, (target) =>
        target.set(beta.map((value, channel) => value - mean[channel]! * scales[channel]!)),
      ),
      low: fused.low,
      high: fused.high,
    },
    fused,
  );
};

export interface ActivationFacts {
  /** Number in kernels/activate.ts. */
  readonly code: number;
  /** What ONNX takes alpha and gamma to be. */
  readonly alpha: number;
  readonly gamma: number;
  readonly attributes: readonly string[];
  /** Attributes of which one value alone is known. */
  readonly fixed?: Readonly<Record<string, string>>;
}

/** Activations that are no clamp. */
export const activations = {
  Sigmoid: { code: 1, alpha: 0, gamma: 0, attributes: [] },
  Tanh: { code: 2, alpha: 0, gamma: 0, attributes: [] },
  Elu: { code: 3, alpha: 1, gamma: 0, attributes: ["alpha"] },
  Selu: { code: 4, alpha: 1.6732631921768188, gamma: 1.0507010221481323, attributes: ["alpha", "gamma"] },
  Softplus: { code: 5, alpha: 0, gamma: 0, attributes: [] },
  Softsign: { code: 6, alpha: 0, gamma: 0, attributes: [] },
  LeakyRelu: { code: 7, alpha: 0.01, gamma: 0, attributes: ["alpha"] },
  Gelu: { code: 8, alpha: 0, gamma: 0, attributes: [], fixed: { approximate: "none" } },
} as const satisfies Readonly<Record<string, ActivationFacts>>;

export const activation =
  ({ code, alpha, gamma }: ActivationFacts): OperatorHandler =>
  (planner, node) => {
    const input = planner.input(node);
    planner.add(node, {
      kind: "activation",
      node: node.name,
      input,
      output: createSlot(input.height, input.width, input.channels),
      code,
      alpha: planner.number(node, "alpha", alpha),
      gamma: planner.number(node, "gamma", gamma),
    });
  };

/** ONNX `Softmax` over the channels. */
export const softmax: OperatorHandler = (planner, node) => {
  const input = planner.input(node);
  const axes = planner.axes(node);
  const axis = planner.number(node, "axis", -1);
  if (!isChannelAxis(axes, axis))
    throw planner.refuse(node, `axis ${axis} of ${axes} is not known; known: that of the channels`);
  const output = createSlot(input.height, input.width, input.channels);
  planner.add(node, { kind: "softmax", node: node.name, input, output });
};
