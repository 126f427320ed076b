import { Window } from "./window";

/**
 * The windows of `rows` (6 or 5) output pixels from `first` on as rows of a product: for each tap in [tapFrom, tapTo)
 * four channels at a time from the byte `channelOffset` on, as [tap][quads][rows][4]. A tap beside the picture is zero;
 * a pixel behind the last repeats the last.
 */
export function packRows(
  out: usize, source: usize, window: Window, rows: i32, first: i32, tapFrom: i32, tapTo: i32, channelOffset: i32, quads: i32,
): void {
  const height = window.height, width = window.width, pixelStride = window.pixelStride;
  const outWidth = window.outWidth, kernelWidth = window.kernelWidth;
  const last = window.outHeight * outWidth - 1;
  const step: usize = rows << 4;
  const zero = f32x4.splat(0);
  const isWhole = channelOffset == 0 && quads << 4 == pixelStride && window.dilationX == 1;
  for (let row = 0; row < rows; row++) {
    const pixel = min(first + row, last);
    const outY = pixel / outWidth;
    const top = outY * window.strideY - window.padTop;
    const left = (pixel - outY * outWidth) * window.strideX - window.padLeft;
    let to = out + (row << 4);
    let tap = tapFrom;
    while (tap < tapTo) {
      const ky = tap / kernelWidth;
      if (isWhole && tap + kernelWidth <= tapTo && ky * kernelWidth == tap && left >= 0 && left + kernelWidth <= width) {
        // All taps of this row lie side by side in memory.
        const y = top + ky * window.dilationY;
        let from = source + (y * width + left) * pixelStride;
        const isInside = <u32>y < <u32>height;
        for (let i = quads * kernelWidth; i != 0; i--) {
          v128.store(to, isInside ? v128.load(from) : zero);
          from += 16;
          to += step;
        }
        tap += kernelWidth;
        continue;
      }
      const y = top + ky * window.dilationY, x = left + (tap - ky * kernelWidth) * window.dilationX;
      if (<u32>y < <u32>height && <u32>x < <u32>width) {
        let from = source + (y * width + x) * pixelStride + channelOffset;
        for (let i = quads; i != 0; i--) {
          v128.store(to, v128.load(from));
          from += 16;
          to += step;
        }
      } else {
        for (let i = quads; i != 0; i--) {
          v128.store(to, zero);
          to += step;
        }
      }
      tap++;
    }
  }
}
