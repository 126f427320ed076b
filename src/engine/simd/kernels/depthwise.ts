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
  for (let pixel = first; pixel < first + count; pixel++) {
    const outY = pixel / outWidth;
    const top = outY * window.strideY - window.padTop;
    const left = (pixel - outY * outWidth) * window.strideX - window.padLeft;
    for (let quad = 0; quad < quads; quad++) {
      const offset = quad << 4;
      let sum = v128.load(bias + offset);
      for (let ky = 0; ky < kernelHeight; ky++) {
        const y = top + ky * window.dilationY;
        if (<u32>y >= <u32>height) continue;
        for (let kx = 0; kx < kernelWidth; kx++) {
          const x = left + kx * window.dilationX;
          if (<u32>x >= <u32>width) continue;
          const value = v128.load(source + (y * width + x) * pixelStride + offset);
          sum = multiplyAdd(value, v128.load(weights + (ky * kernelWidth + kx) * tapStride + offset), sum);
        }
      }
      v128.store(out + pixel * outStride + offset, f32x4.min(f32x4.max(sum, lowest), highest));
    }
  }
}
