import type { Pixels } from "../image/pixels.ts";
import type { PreprocessSpec } from "./preprocess-spec.ts";
import { resize } from "./resize.ts";
import { toTensor } from "./to-tensor.ts";

/**
 * Keras's `load_img(target_size, interpolation)` and `preprocess_input` on decoded pixels.
 * @param pixels (H, W, 3) uint8 RGB of any size
 * @returns (1, spec.height, spec.width, 3) float32
 */
export function preprocess(pixels: Pixels, spec: PreprocessSpec): Float32Array {
  return toTensor(resize(pixels, spec.width, spec.height, spec.interpolation), spec.mode);
}
