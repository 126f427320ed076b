import { multiplyAdd } from "./multiply-add";
import { Window } from "./window";

/**
 * A convolution in which each channel has a kernel of its own, for output pixels [first, first + count).
 * weights: [taps][quads][4], bias: [quads][4]; the result is held to [low, high].
 */
export function depthwise(
  out: usize, outStride: i32, source: usize, window: Window, weights: usize, bias: usize,
  first: i32, count: i32, quads: i32, low: f32, high: f32,
): void {
  const height = window.height, width = window.width, pixelStride = window.pixelStride;
  const outWidth = window.outWidth, kernelHeight = window.kernelHeight, kernelWidth = window.kernelWidth;
  const lowest = f32x4.splat(low), highest = f32x4.splat(high);
  const tapStride = quads << 4;
  const dilationY = window.dilationY, dilationX = window.dilationX;
  const rowStep = dilationY * width * pixelStride, tapStep = dilationX * pixelStride;
  for (let pixel = first; pixel < first + count; pixel++) {
    const outY = pixel / outWidth;
    const top = outY * window.strideY - window.padTop;
    const left = (pixel - outY * outWidth) * window.strideX - window.padLeft;
    // Taps within the picture.
    const y0 = firstTap(top, dilationY), y1 = min(kernelHeight, endTap(top, height, dilationY));
    const x0 = firstTap(left, dilationX), x1 = min(kernelWidth, endTap(left, width, dilationX));
    const start = source + ((top + y0 * dilationY) * width + left + x0 * dilationX) * pixelStride;
    const skipped = weights + (y0 * kernelWidth + x0) * tapStride;
    const to = out + pixel * outStride;
    // Quads are even.
    for (let quad = 0; quad < quads; quad += 2) {
      const offset = quad << 4;
      let sum = v128.load(bias + offset), other = v128.load(bias + offset, 16);
      let row = start + offset, taps = skipped + offset;
      for (let ky = y0; ky < y1; ky++) {
        let from = row, tap = taps;
        for (let kx = x0; kx < x1; kx++) {
          sum = multiplyAdd(v128.load(from), v128.load(tap), sum);
          other = multiplyAdd(v128.load(from, 16), v128.load(tap, 16), other);
          from += tapStep;
          tap += tapStride;
        }
        row += rowStep;
        taps += kernelWidth * tapStride;
      }
      v128.store(to + offset, f32x4.min(f32x4.max(sum, lowest), highest));
      v128.store(to + offset, f32x4.min(f32x4.max(other, lowest), highest), 16);
    }
  }
}

/** The first tap that is not before the picture, where the window begins at `from`. */
function firstTap(from: i32, dilation: i32): i32 {
  return from < 0 ? (dilation - 1 - from) / dilation : 0;
}

/** Behind the last tap that is before the end of the picture, `size`; none may be. */
function endTap(from: i32, size: i32, dilation: i32): i32 {
  return from < size ? (size - from + dilation - 1) / dilation : 0;
}
