import type { OperatorHandler } from "../planner.ts";
import { convolution, gemm } from "./convolution.ts";
import { activation, activations, batchNormalization, clamp, combine, softmax } from "./elementwise.ts";
import { concat, flatten, pad, transpose } from "./layout.ts";
import { globalPool, pool } from "./pool.ts";

/** ONNX operators by name, as far as converted Keras networks have them. */
export const operators: ReadonlyMap<string, OperatorHandler> = new Map<string, OperatorHandler>([
  ["Add", combine(false)],
  ["AveragePool", pool("mean")],
  ["BatchNormalization", batchNormalization],
  ["Clip", clamp],
  ["Concat", concat],
  ["Conv", convolution],
  ["Flatten", flatten],
  ["Gemm", gemm],
  ["GlobalAveragePool", globalPool("mean")],
  ["GlobalMaxPool", globalPool("largest")],
  ["MaxPool", pool("largest")],
  ["Mul", combine(true)],
  ["Pad", pad],
  ["Relu", clamp],
  ["Softmax", softmax],
  ["Transpose", transpose],
  ...Object.keys(activations).map(
    (name) => [name, activation(name as keyof typeof activations)] as [string, OperatorHandler],
  ),
]);
