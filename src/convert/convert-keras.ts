import { buildGraph, type Pooling } from "./build-graph.ts";
import { describeNetwork } from "./describe-network.ts";
import type { KerasModel } from "./keras-format/keras-model.ts";
import { foldBatchNorm } from "./passes/fold-batch-norm.ts";
import { foldPadding } from "./passes/fold-padding.ts";
import { applyNumberFormat, type NumberFormat } from "./variants/number-format.ts";
import { writeOnnx } from "./write-onnx.ts";

interface ConvertOptions {
  /** Layer whose output is the feature vector; layers behind it are left out. */
  readonly outputLayer: string;
  /** What the network is to take, without the batch: (height, width, channels). Must fit its input layer. */
  readonly inputShape: readonly number[];
  /** What is done with an output that is still a picture. Default: none, which flattens it. */
  readonly pooling?: Pooling;
  /** How the numbers are held. Default: float32. */
  readonly format?: NumberFormat;
}

interface ConvertedModel {
  /** An ONNX model with one input (N, ...inputShape) and one output (N, dimension), float32, N free. */
  readonly onnx: Uint8Array<ArrayBuffer>;
  readonly inputShape: readonly number[];
  readonly dimension: number;
  /** `layer/variable` of each source weight that the output depends on. */
  readonly usedWeights: readonly string[];
  /** What it does with them, for its fingerprint: `describeNetwork`. */
  readonly network: string;
}

/**
 * Converts a Keras model to ONNX. The same model and options give the same bytes, on every host.
 * @throws EmbedError `CONVERT_UNSUPPORTED_LAYER` if a layer, or a setting of one, is not known;
 *   `CONVERT_INVALID` if the model contradicts itself or a weight is missing, left over, misshapen
 *   or not to be held in the format
 */
export function convertKeras(model: KerasModel, options: ConvertOptions): ConvertedModel {
  const { outputLayer, inputShape, pooling, format = { precision: "fp32" } } = options;
  const { graph, usedWeights } = buildGraph(model, outputLayer, inputShape, pooling);
  const onnx = writeOnnx(applyNumberFormat(foldPadding(foldBatchNorm(graph)), format));
  const network = describeNetwork(graph);
  return { onnx, inputShape: graph.input.shape, dimension: graph.output.dimension, usedWeights, network };
}
