import type { Operator, Operators } from "../check-nodes.ts";
import { convolution } from "./convolution.ts";
import {
  type ActivationFacts,
  activation,
  activations,
  batchNormalization,
  clamp,
  combine,
  softmax,
} from "./elementwise.ts";
import { gemm } from "./gemm.ts";
import { layerNormalization } from "./layer-norm.ts";
import { concat, flatten, pad, reshape, slice, transpose } from "./layout.ts";
import { globalPool, pool } from "./pool.ts";

const picture = ["NCHW"] as const;
/** Channels are axis 1. */
const channelsSecond = ["NCHW", "NC"] as const;
const any = ["NHWC", "NCHW", "NC"] as const;

const windowed = {
  attributes: ["kernel_shape", "pads", "strides", "dilations"],
  fixed: { auto_pad: "NOTSET" },
} as const;
const pooled = {
  takes: picture,
  mostInputs: 1,
  attributes: [...windowed.attributes, "count_include_pad"],
  fixed: { ...windowed.fixed, ceil_mode: 0, storage_order: 0 },
} as const;
const sum = { takes: any, mostInputs: 2 } as const;

/** ONNX operators by name, as far as converted Keras networks have them. */
export const operators: Operators = new Map<string, Operator>([
  ["Add", { plan: combine(false), ...sum }],
  ["AveragePool", { plan: pool("mean"), ...pooled }],
  [
    "BatchNormalization",
    {
      plan: batchNormalization,
      takes: channelsSecond,
      mostInputs: 5,
      attributes: ["epsilon"],
      fixed: { training_mode: 0 },
      ignored: ["momentum"],
    },
  ],
  ["Clip", { plan: clamp, takes: any, mostInputs: 3 }],
  ["Concat", { plan: concat, takes: any, mostInputs: Number.POSITIVE_INFINITY, attributes: ["axis"] }],
  [
    "Conv",
    {
      plan: convolution,
      takes: picture,
      mostInputs: 3,
      attributes: [...windowed.attributes, "group"],
      fixed: windowed.fixed,
    },
  ],
  ["Flatten", { plan: flatten, takes: any, mostInputs: 1, attributes: ["axis"] }],
  [
    "Gemm",
    {
      plan: gemm,
      takes: ["NC"],
      mostInputs: 3,
      attributes: ["transB"],
      fixed: { transA: 0, alpha: 1, beta: 1 },
    },
  ],
  ["GlobalAveragePool", { plan: globalPool("mean"), takes: picture, mostInputs: 1 }],
  ["GlobalMaxPool", { plan: globalPool("largest"), takes: picture, mostInputs: 1 }],
  [
    "LayerNormalization",
    {
      plan: layerNormalization,
      takes: any,
      mostInputs: 3,
      attributes: ["axis", "epsilon"],
      fixed: { stash_type: 1 },
    },
  ],
  ["MaxPool", { plan: pool("largest"), ...pooled }],
  ["Mul", { plan: combine(true), ...sum }],
  ["Pad", { plan: pad, takes: picture, mostInputs: 3, fixed: { mode: "constant" } }],
  ["Relu", { plan: clamp, takes: any, mostInputs: 1 }],
  ["Reshape", { plan: reshape, takes: channelsSecond, mostInputs: 2, fixed: { allowzero: 0 } }],
  // Without its input 4, the steps.
  ["Slice", { plan: slice, takes: picture, mostInputs: 4 }],
  ["Softmax", { plan: softmax, takes: any, mostInputs: 1, attributes: ["axis"] }],
  ["Transpose", { plan: transpose, takes: ["NHWC", "NCHW"], mostInputs: 1, attributes: ["perm"] }],
  ...Object.entries<ActivationFacts>(activations).map(([name, facts]): [string, Operator] => [
    name,
    {
      plan: activation(facts),
      takes: any,
      mostInputs: 1,
      attributes: facts.attributes,
      fixed: facts.fixed ?? {},
    },
  ]),
]);
