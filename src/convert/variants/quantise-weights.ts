import type { Constant } from "../graph.ts";

/** A convolution's weights in whole numbers: kernel = kernelSteps * scale of its filter, bias = biasSteps * scale * inputScale. */
export interface QuantisedWeights {
  /** int8, -127 to 127, in the kernel's shape. */
  readonly kernelSteps: Int8Array;
  /** (filters) float32: a step of each filter's kernel. */
  readonly scales: Float32Array;
  /** (filters) int32. */
  readonly biasSteps: Int32Array;
  /** (filters) float32: a step of each filter's bias, which is what ONNX Runtime expects of it: inputScale * scale. */
  readonly biasScales: Float32Array;
}

const mostSteps = 127;
/** A bias has room for this many steps, so that sums with it stay within int32. */
const mostBiasSteps = 2 ** 30;

/**
 * Gives each filter steps of its own, by its largest weight; zero is exact.
 * @param kernel (filters, ...) float32
 * @param bias (filters) float32, or undefined for none
 * @param inputScale a step of the convolution's input
 */
export function quantiseWeights(
  kernel: Constant & { readonly kind: "float32" },
  bias: Float32Array | undefined,
  inputScale: number,
): QuantisedWeights {
  const filters = kernel.shape[0]!;
  const perFilter = kernel.data.length / filters;
  const kernelSteps = new Int8Array(kernel.data.length);
  const scales = new Float32Array(filters);
  const biasSteps = new Int32Array(filters);
  const biasScales = new Float32Array(filters);
  for (let filter = 0; filter < filters; filter++) {
    const weights = kernel.data.subarray(filter * perFilter, (filter + 1) * perFilter);
    const offset = bias?.[filter] ?? 0;
    const largest = weights.reduce((most, weight) => Math.max(most, Math.abs(weight)), 0);
    // A large bias over small weights, or over none, decides instead.
    const step = Math.max(largest / mostSteps, Math.abs(offset) / inputScale / mostBiasSteps);
    const scale = Math.fround(step) || 1;
    scales[filter] = scale;
    biasScales[filter] = inputScale * scale;
    biasSteps[filter] = Math.round(offset / biasScales[filter]!);
    for (let index = 0; index < perFilter; index++) {
      const steps = Math.round(weights[index]! / scale);
      kernelSteps[filter * perFilter + index] = Math.max(-mostSteps, Math.min(mostSteps, steps));
    }
  }
  return { kernelSteps, scales, biasSteps, biasScales };
}
