import type { Attributes, Constant } from "./graph.ts";
import type { CallNumbers, KerasLayer } from "./keras-format/keras-model.ts";

/** A tensor on the way: its name in the graph, and its Keras shape without the batch, channels last. */
export interface TensorRef {
  /** A tensor of rank 3 here is (N, C, H, W) in the graph; one of rank 1 is (N, D). */
  readonly name: string;
  readonly shape: readonly number[];
}

/** Keras 2, tf.keras and TensorFlow.js alike; or Keras 3. */
export type KerasVersion = 2 | 3;

/** What a handler may do while it turns one call of one layer into graph nodes. */
export interface LayerContext {
  readonly layer: KerasLayer;
  /** What the layer is called on; at least one. */
  readonly inputs: readonly TensorRef[];
  /** The numbers among the arguments of this call, which only operations have. */
  readonly numbers: CallNumbers;
  /** Which Keras wrote the model, where its input layer says: some activations differ. */
  readonly kerasVersion: KerasVersion | undefined;
  /**
   * A weight of this layer, in Keras's own layout.
   * @throws EmbedError `CONVERT_INVALID` if it is missing or has another shape
   */
  weight(variable: string, shape: readonly number[]): Float32Array;
  /** Adds a constant `<layer>/<variable>` and returns its name; a layer called twice adds equal ones once. */
  constant(variable: string, constant: Constant): string;
  /** Adds a node of the ONNX operator `op` and returns the name of its output. */
  node(op: string, inputs: readonly string[], attributes?: Attributes): string;
}

/**
 * Turns one call of a layer into graph nodes and returns its output.
 * @throws EmbedError `CONVERT_UNSUPPORTED_LAYER` or `CONVERT_INVALID`
 */
export type LayerHandler = (context: LayerContext) => TensorRef;
