import type { Pixels } from "../image/pixels.ts";
import type { Interpolation } from "./preprocess-spec.ts";
import { resizeFiltered } from "./resize-filtered.ts";
import { resizeFilters } from "./resize-filters.ts";
import { resizeNearest } from "./resize-nearest.ts";

/**
 * Resizes as Pillow's `Image.resize((width, height), resample)` does, byte for byte. At the source's own size every
 * interpolation is a copy.
 * @param pixels (pixels.height, pixels.width, 3) uint8 RGB
 * @param width at least 1
 * @param height at least 1
 * @returns (height, width, 3) uint8 RGB, never the source's own array
 */
export function resize(pixels: Pixels, width: number, height: number, interpolation: Interpolation): Pixels {
  if (pixels.width === width && pixels.height === height) return { width, height, data: pixels.data.slice() };
  return interpolation === "nearest"
    ? resizeNearest(pixels, width, height)
    : resizeFiltered(pixels, width, height, resizeFilters[interpolation]);
}
