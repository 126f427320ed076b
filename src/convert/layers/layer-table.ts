import type { LayerHandler } from "../layer-handler.ts";
import { activation } from "./activation.ts";
import { add } from "./add.ts";
import { averagePooling2d } from "./average-pooling2d.ts";
import { batchNormalization } from "./batch-normalization.ts";
import { concatenate } from "./concatenate.ts";
import { conv2d } from "./conv2d.ts";
import { dense } from "./dense.ts";
import { dropout } from "./dropout.ts";
import { flatten } from "./flatten.ts";
import { globalAveragePooling2d } from "./global-average-pooling2d.ts";
import { globalMaxPooling2d } from "./global-max-pooling2d.ts";
import { maxPooling2d } from "./max-pooling2d.ts";
import { reLu } from "./re-lu.ts";
import { zeroPadding2d } from "./zero-padding2d.ts";

/**
 * Keras's `class_name` -> handler; a Map, so that no inherited name is found. To teach the converter a new
 * layer, add its file here and a golden net for it. `InputLayer` is no handler's: `build-graph.ts` begins there.
 */
export const layerTable: ReadonlyMap<string, LayerHandler> = new Map([
  ["Activation", activation],
  ["Add", add],
  ["AveragePooling2D", averagePooling2d],
  ["BatchNormalization", batchNormalization],
  ["Concatenate", concatenate],
  ["Conv2D", conv2d],
  ["Dense", dense],
  ["Dropout", dropout],
  ["Flatten", flatten],
  ["GlobalAveragePooling2D", globalAveragePooling2d],
  ["GlobalMaxPooling2D", globalMaxPooling2d],
  ["MaxPooling2D", maxPooling2d],
  ["ReLU", reLu],
  ["ZeroPadding2D", zeroPadding2d],
]);
