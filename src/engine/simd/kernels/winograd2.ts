import { Window } from "./window";

/**
 * F(2x2, 3x3) of Lavin and Gray (arXiv 1509.09308): a tile of 4x4 inputs gives 2x2 outputs. Less is saved than with
 * F(4x4), but its weights are half as large: the better choice where pictures are small and channels many.
 */

/** As `transformInput4`, with 16 planes. scratch: 256 bytes. */
export function transformInput2(
  out: usize, planeStride: usize, source: usize, window: Window, rows: i32, first: i32, quads: i32, scratch: usize,
): void {
  const height = window.height, width = window.width, pixelStride = window.pixelStride;
  const across = (window.outWidth + 1) >> 1, last = across * ((window.outHeight + 1) >> 1) - 1;
  const zero = f32x4.splat(0);
  const line = width * pixelStride;
  for (let row = 0; row < rows; row++) {
    const tile = min(first + row, last);
    const tileY = tile / across;
    const top = (tileY << 1) - window.padTop, left = ((tile - tileY * across) << 1) - window.padLeft;
    for (let quad = 0; quad < quads; quad++) {
      const base = source + (quad << 4);
      for (let j = 0; j < 4; j++) {
        const x = left + j;
        let d0 = zero, d1 = zero, d2 = zero, d3 = zero;
        if (<u32>x < <u32>width) {
          const at = base + (top * width + x) * pixelStride;
          if (<u32>top < <u32>height) d0 = v128.load(at);
          if (<u32>(top + 1) < <u32>height) d1 = v128.load(at + line);
          if (<u32>(top + 2) < <u32>height) d2 = v128.load(at + 2 * line);
          if (<u32>(top + 3) < <u32>height) d3 = v128.load(at + 3 * line);
        }
        const to = scratch + (j << 4);
        v128.store(to, f32x4.sub(d0, d2));
        v128.store(to, f32x4.add(d1, d2), 64);
        v128.store(to, f32x4.sub(d2, d1), 128);
        v128.store(to, f32x4.sub(d1, d3), 192);
      }
      let to = out + ((quad * rows + row) << 4);
      for (let i = 0; i < 4; i++) {
        const from = scratch + (i << 6);
        const d0 = v128.load(from), d1 = v128.load(from, 16), d2 = v128.load(from, 32), d3 = v128.load(from, 48);
        v128.store(to, f32x4.sub(d0, d2)); to += planeStride;
        v128.store(to, f32x4.add(d1, d2)); to += planeStride;
        v128.store(to, f32x4.sub(d2, d1)); to += planeStride;
        v128.store(to, f32x4.sub(d1, d3)); to += planeStride;
      }
    }
  }
}

/** As `transformOutput4`, from 16 planes. scratch: 128 bytes. */
export function transformOutput2(
  sums: usize, planeStride: i32, rowStride: i32, rows: i32, first: i32, window: Window, quads: i32,
  out: usize, outStride: i32, bias: usize, residual: usize, low: f32, high: f32, scratch: usize,
): void {
  const outHeight = window.outHeight, outWidth = window.outWidth;
  const across = (outWidth + 1) >> 1;
  const lowest = f32x4.splat(low), highest = f32x4.splat(high);
  for (let row = 0; row < rows; row++) {
    const tile = first + row;
    const tileY = tile / across;
    const top = tileY << 1, left = (tile - tileY * across) << 1;
    if (top >= outHeight) return;
    const wide = min(2, outWidth - left);
    const corner = (top * outWidth + left) * outStride, line = outWidth * outStride;
    for (let quad = 0; quad < quads; quad++) {
      let from = sums + row * rowStride + (quad << 4);
      for (let i = 0; i < 4; i++) {
        const m0 = v128.load(from); from += planeStride;
        const m1 = v128.load(from); from += planeStride;
        const m2 = v128.load(from); from += planeStride;
        const m3 = v128.load(from); from += planeStride;
        const to = scratch + (i << 5);
        v128.store(to, f32x4.add(f32x4.add(m0, m1), m2));
        v128.store(to, f32x4.sub(f32x4.sub(m1, m2), m3), 16);
      }
      const shift = v128.load(bias + (quad << 4));
      for (let j = 0; j < wide; j++) {
        const at = scratch + (j << 4);
        const m0 = v128.load(at), m1 = v128.load(at, 32), m2 = v128.load(at, 64), m3 = v128.load(at, 96);
        const offset = corner + j * outStride + (quad << 4);
        put(out, residual, offset, f32x4.add(f32x4.add(m0, m1), m2), shift, lowest, highest);
        if (top + 1 < outHeight) {
          put(out, residual, offset + line, f32x4.sub(f32x4.sub(m1, m2), m3), shift, lowest, highest);
        }
      }
    }
  }
}

// @ts-ignore: a decorator of AssemblyScript
@inline
function put(out: usize, residual: usize, offset: i32, value: v128, shift: v128, lowest: v128, highest: v128): void {
  value = f32x4.add(value, shift);
  if (residual != 0) value = f32x4.add(value, v128.load(residual + offset));
  v128.store(out + offset, f32x4.min(f32x4.max(value, lowest), highest));
}
