import type { LayerHandler } from "../layer-handler.ts";
import { activation } from "./activation.ts";
import { add } from "./add.ts";
import { averagePooling2d } from "./average-pooling2d.ts";
import { batchNormalization } from "./batch-normalization.ts";
import { concatenate } from "./concatenate.ts";
import { conv2d } from "./conv2d.ts";
import { cropping2d } from "./cropping2d.ts";
import { customScaleLayer } from "./custom-scale-layer.ts";
import { dense } from "./dense.ts";
import { depthwiseConv2d } from "./depthwise-conv2d.ts";
import { dropout } from "./dropout.ts";
import { flatten } from "./flatten.ts";
import { globalAveragePooling2d } from "./global-average-pooling2d.ts";
import { globalMaxPooling2d } from "./global-max-pooling2d.ts";
import { layerNormalization } from "./layer-normalization.ts";
import { layerScale } from "./layer-scale.ts";
import { leakyReLu } from "./leaky-re-lu.ts";
import { maxPooling2d } from "./max-pooling2d.ts";
import { multiply } from "./multiply.ts";
import { normalization } from "./normalization.ts";
import {
  addNumber,
  divideByNumber,
  multiplyNumber,
  subtractNumber,
  tfOperation,
} from "./number-operation.ts";
import { permute } from "./permute.ts";
import { reLu } from "./re-lu.ts";
import { rescaling } from "./rescaling.ts";
import { reshape } from "./reshape.ts";
import { separableConv2d } from "./separable-conv2d.ts";
import { softmax } from "./softmax.ts";
import { zeroPadding2d } from "./zero-padding2d.ts";

/**
 * Keras's `class_name` -> handler; a Map, so that no inherited name is found. To teach the converter a new
 * layer, add its file here and a golden net for it. `InputLayer` is no handler's: `build-graph.ts` begins there.
 */
export const layerTable: ReadonlyMap<string, LayerHandler> = new Map([
  ["Activation", activation],
  ["ActivityRegularization", dropout],
  ["Add", add],
  ["AveragePooling2D", averagePooling2d],
  ["BatchNormalization", batchNormalization],
  ["Concatenate", concatenate],
  ["Conv2D", conv2d],
  ["Cropping2D", cropping2d],
  // As tf.keras registers it.
  ["Custom>CustomScaleLayer", customScaleLayer],
  ["CustomScaleLayer", customScaleLayer],
  ["Dense", dense],
  ["DepthwiseConv2D", depthwiseConv2d],
  ["Dropout", dropout],
  ["Flatten", flatten],
  ["GaussianDropout", dropout],
  ["GaussianNoise", dropout],
  ["GlobalAveragePooling2D", globalAveragePooling2d],
  ["GlobalMaxPooling2D", globalMaxPooling2d],
  ["LayerNormalization", layerNormalization],
  ["LayerScale", layerScale],
  ["LeakyReLU", leakyReLu],
  ["MaxPooling2D", maxPooling2d],
  ["Multiply", multiply],
  ["Normalization", normalization],
  ["Permute", permute],
  ["RandomBrightness", dropout],
  ["RandomContrast", dropout],
  ["RandomFlip", dropout],
  ["RandomRotation", dropout],
  ["RandomTranslation", dropout],
  ["RandomZoom", dropout],
  ["ReLU", reLu],
  ["Rescaling", rescaling],
  ["Reshape", reshape],
  ["SeparableConv2D", separableConv2d],
  ["Softmax", softmax],
  ["SpatialDropout2D", dropout],
  ["StochasticDepth", dropout],
  ["TFOpLambda", tfOperation],
  ["ZeroPadding2D", zeroPadding2d],
  ["ops.Add", addNumber],
  ["ops.Multiply", multiplyNumber],
  ["ops.Subtract", subtractNumber],
  ["ops.TrueDivide", divideByNumber],
]);
