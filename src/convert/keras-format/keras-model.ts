import type { JsonObject } from "./json.ts";

/** The neutral form that every reader of a Keras file gives and the converter takes. */
export interface KerasModel {
  readonly topology: KerasTopology;
  /** By `layer/variable`, for example `conv1/kernel`; see `splitWeightName`. */
  readonly weights: KerasWeights;
}

/** A functional Keras model: named layers and which tensors each is called on. */
export interface KerasTopology {
  readonly name: string;
  /** Models inside the model are taken apart: the layer `conv` of the model `base` is named `base/conv`. */
  readonly layers: readonly KerasLayer[];
  /** What the model gives, in its own order; none if the file does not say. */
  readonly outputs: readonly TensorSource[];
}

export interface KerasLayer {
  readonly name: string;
  readonly className: string;
  readonly config: JsonObject;
  /** One entry for each time that the layer is called; an input layer has none. */
  readonly calls: readonly LayerCall[];
  /**
   * For each call the numbers among its arguments, by position or by name: `x + 3` is an operation on x with 1: 3.
   * Only operations have any.
   */
  readonly numbers?: readonly CallNumbers[];
}

/** The tensors that one call of a layer takes, in order. */
export type LayerCall = readonly TensorSource[];

export type CallNumbers = Readonly<Record<string, number>>;

/** The output of a layer's `call`-th call. */
export interface TensorSource {
  readonly layer: string;
  readonly call: number;
}

export type KerasWeights = ReadonlyMap<string, WeightTensor>;

/** `data` holds the product of `shape` values in C order, as Keras stores them. */
export interface WeightTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** A layer's name may itself hold slashes (`conv2_block1/conv`), a variable's never does. */
export function splitWeightName(name: string): { readonly layer: string; readonly variable: string } {
  const slash = name.lastIndexOf("/");
  return { layer: name.slice(0, Math.max(slash, 0)), variable: name.slice(slash + 1) };
}
