import type { Pixels } from "../image/pixels.ts";
import type { ResizeFilter } from "./resize-filters.ts";

/** Fractional bits of a weight: 32 less 8 for the sample and 2 for sums outside 0..255. */
const precisionBits = 32 - 8 - 2;

/** Which source pixels make up each target pixel, and how much of each. */
interface Weights {
  /** By target pixel: the first source pixel. */
  readonly starts: Int32Array;
  /** By target pixel: how many source pixels. */
  readonly counts: Int32Array;
  /** `stride` for each target pixel, in units of 2 ** -22. */
  readonly values: Int32Array;
  readonly stride: number;
}

/**
 * Pillow's resampler (`ImagingResample` in Resample.c): a pass over rows and one over columns, each in integers and
 * rounded to 8 bits; a pass that changes no size is left out.
 * @returns (height, width, 3) uint8 RGB
 */
export function resizeFiltered(pixels: Pixels, width: number, height: number, filter: ResizeFilter): Pixels {
  if (takesColumnsFirst(pixels, width, height)) {
    return resizeRows(resizeColumns(pixels, height, filter), width, filter);
  }
  return resizeColumns(resizeRows(pixels, width, filter), height, filter);
}

/**
 * Each pass rounds, so their order shows. Since 13.0 Pillow takes columns first where the height shrinks by more than
 * twice as many pixels as the width (`horizontal_first` in Resample.c); older ones take rows first.
 */
function takesColumnsFirst(pixels: Pixels, width: number, height: number): boolean {
  return height < pixels.height && 2 * (pixels.width - width) < pixels.height - height;
}

function resizeRows(pixels: Pixels, width: number, filter: ResizeFilter): Pixels {
  if (width === pixels.width) return pixels;
  const { height, data: source } = pixels;
  const { starts, counts, values, stride } = weighPixels(pixels.width, width, filter);
  const data = new Uint8Array(width * height * 3);
  let to = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let red = 1 << (precisionBits - 1);
      let green = red;
      let blue = red;
      let from = (y * pixels.width + starts[x]!) * 3;
      const end = x * stride + counts[x]!;
      for (let i = x * stride; i < end; i++) {
        const weight = values[i]!;
        red = (red + source[from]! * weight) | 0;
        green = (green + source[from + 1]! * weight) | 0;
        blue = (blue + source[from + 2]! * weight) | 0;
        from += 3;
      }
      data[to++] = clip(red);
      data[to++] = clip(green);
      data[to++] = clip(blue);
    }
  }
  return { width, height, data };
}

function resizeColumns(pixels: Pixels, height: number, filter: ResizeFilter): Pixels {
  if (height === pixels.height) return pixels;
  const { width, data: source } = pixels;
  const { starts, counts, values, stride } = weighPixels(pixels.height, height, filter);
  const rowSamples = width * 3;
  const data = new Uint8Array(rowSamples * height);
  // Row after row, so that memory is read in its order.
  const sums = new Int32Array(rowSamples);
  for (let y = 0; y < height; y++) {
    sums.fill(1 << (precisionBits - 1));
    for (let i = 0; i < counts[y]!; i++) {
      const weight = values[y * stride + i]!;
      const from = (starts[y]! + i) * rowSamples;
      for (let x = 0; x < rowSamples; x++) sums[x] = sums[x]! + source[from + x]! * weight;
    }
    for (let x = 0; x < rowSamples; x++) data[y * rowSamples + x] = clip(sums[x]!);
  }
  return { width, height, data };
}

/** `precompute_coeffs` and `normalize_coeffs_8bpc`: weights in doubles, then rounded half away from zero. */
function weighPixels(sourceSize: number, size: number, filter: ResizeFilter): Weights {
  const scale = sourceSize / size;
  const filterScale = Math.max(scale, 1);
  const inverseFilterScale = 1 / filterScale;
  const support = filter.support * filterScale;
  const stride = Math.ceil(support) * 2 + 1;
  const starts = new Int32Array(size);
  const counts = new Int32Array(size);
  const values = new Int32Array(size * stride);
  const weights = new Float64Array(stride);
  for (let i = 0; i < size; i++) {
    const centre = (i + 0.5) * scale;
    const start = Math.max(0, Math.trunc(centre - support + 0.5));
    const count = Math.min(sourceSize, Math.trunc(centre + support + 0.5)) - start;
    let total = 0;
    for (let k = 0; k < count; k++) {
      const weight = filter.weigh((k + start - centre + 0.5) * inverseFilterScale);
      weights[k] = weight;
      total += weight;
    }
    for (let k = 0; k < count; k++) {
      const scaled = (total === 0 ? weights[k]! : weights[k]! / total) * (1 << precisionBits);
      values[i * stride + k] = Math.trunc(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
    }
    starts[i] = start;
    counts[i] = count;
  }
  return { starts, counts, values, stride };
}

function clip(sum: number): number {
  const value = sum >> precisionBits;
  return Math.max(0, Math.min(255, value));
}
