import { Window } from "./window";

/** The largest value of each window, for output pixels [first, first + count). What lies beside the picture is left out. */
export function maxPool(
  out: usize, outStride: i32, source: usize, window: Window, first: i32, count: i32, quads: i32,
): void {
  const width = window.width, pixelStride = window.pixelStride, outWidth = window.outWidth;
  for (let pixel = first; pixel < first + count; pixel++) {
    const outY = pixel / outWidth;
    const top = outY * window.strideY - window.padTop;
    const left = (pixel - outY * outWidth) * window.strideX - window.padLeft;
    const y0 = max(top, 0), y1 = min(top + window.kernelHeight, window.height);
    const x0 = max(left, 0), x1 = min(left + window.kernelWidth, width);
    // Quads are even.
    for (let quad = 0; quad < quads; quad += 2) {
      let value = f32x4.splat(-Infinity), other = value;
      for (let y = y0; y < y1; y++) {
        let from = source + (y * width + x0) * pixelStride + (quad << 4);
        for (let x = x0; x < x1; x++) {
          value = f32x4.max(value, v128.load(from));
          other = f32x4.max(other, v128.load(from, 16));
          from += pixelStride;
        }
      }
      const to = out + pixel * outStride + (quad << 4);
      v128.store(to, value);
      v128.store(to, other, 16);
    }
  }
}

/**
 * The mean of each window, for output pixels [first, first + count). divisor: number of values; 0: as many as lie
 * within the picture.
 */
export function averagePool(
  out: usize, outStride: i32, source: usize, window: Window, first: i32, count: i32, quads: i32, divisor: i32,
): void {
  const width = window.width, pixelStride = window.pixelStride, outWidth = window.outWidth;
  for (let pixel = first; pixel < first + count; pixel++) {
    const outY = pixel / outWidth;
    const top = outY * window.strideY - window.padTop;
    const left = (pixel - outY * outWidth) * window.strideX - window.padLeft;
    const y0 = max(top, 0), y1 = min(top + window.kernelHeight, window.height);
    const x0 = max(left, 0), x1 = min(left + window.kernelWidth, width);
    const values = divisor == 0 ? (y1 - y0) * (x1 - x0) : divisor;
    const parts = f32x4.splat(<f32>values);
    for (let quad = 0; quad < quads; quad++) {
      let sum = f32x4.splat(0);
      for (let y = y0; y < y1; y++) {
        let from = source + (y * width + x0) * pixelStride + (quad << 4);
        for (let x = x0; x < x1; x++) {
          sum = f32x4.add(sum, v128.load(from));
          from += pixelStride;
        }
      }
      v128.store(out + pixel * outStride + (quad << 4), f32x4.div(sum, parts));
    }
  }
}
