import { Window } from "./window";

/**
 * F(4x4, 3x3) of Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks" (arXiv 1509.09308): a tile of
 * 6x6 inputs gives 4x4 outputs of a 3x3 convolution with stride 1.
 */

/**
 * Tiles [first, first + rows) as packed rows (`multiplyBlock`), one plane for each of the 36 places of a tile, `planeStride`
 * bytes apart: [quads][rows][4]. A tile behind the last repeats the last. scratch: 576 bytes.
 */
export function transformInput4(
  out: usize, planeStride: usize, source: usize, window: Window, rows: i32, first: i32, quads: i32, scratch: usize,
): void {
  const height = window.height, width = window.width, pixelStride = window.pixelStride;
  const across = (window.outWidth + 3) >> 2, last = across * ((window.outHeight + 3) >> 2) - 1;
  const four = f32x4.splat(4), five = f32x4.splat(5), two = f32x4.splat(2), zero = f32x4.splat(0);
  for (let row = 0; row < rows; row++) {
    const tile = min(first + row, last);
    const tileY = tile / across;
    const top = (tileY << 2) - window.padTop, left = ((tile - tileY * across) << 2) - window.padLeft;
    for (let quad = 0; quad < quads; quad++) {
      const base = source + (quad << 4);
      for (let j = 0; j < 6; j++) {
        const x = left + j;
        let d0 = zero, d1 = zero, d2 = zero, d3 = zero, d4 = zero, d5 = zero;
        if (<u32>x < <u32>width) {
          const at = base + (top * width + x) * pixelStride;
          const line = width * pixelStride;
          if (<u32>top < <u32>height) d0 = v128.load(at);
          if (<u32>(top + 1) < <u32>height) d1 = v128.load(at + line);
          if (<u32>(top + 2) < <u32>height) d2 = v128.load(at + 2 * line);
          if (<u32>(top + 3) < <u32>height) d3 = v128.load(at + 3 * line);
          if (<u32>(top + 4) < <u32>height) d4 = v128.load(at + 4 * line);
          if (<u32>(top + 5) < <u32>height) d5 = v128.load(at + 5 * line);
        }
        const to = scratch + (j << 4);
        // B^T of the paper, one column.
        const p = f32x4.sub(d4, f32x4.mul(four, d2)), q = f32x4.sub(d3, f32x4.mul(four, d1));
        const r = f32x4.sub(d4, d2), s = f32x4.mul(two, f32x4.sub(d3, d1));
        v128.store(to, f32x4.add(f32x4.sub(f32x4.mul(four, d0), f32x4.mul(five, d2)), d4));
        v128.store(to, f32x4.add(p, q), 96);
        v128.store(to, f32x4.sub(p, q), 192);
        v128.store(to, f32x4.add(r, s), 288);
        v128.store(to, f32x4.sub(r, s), 384);
        v128.store(to, f32x4.add(f32x4.sub(f32x4.mul(four, d1), f32x4.mul(five, d3)), d5), 480);
      }
      let to = out + ((quad * rows + row) << 4);
      for (let i = 0; i < 6; i++) {
        const from = scratch + i * 96;
        const d0 = v128.load(from), d1 = v128.load(from, 16), d2 = v128.load(from, 32);
        const d3 = v128.load(from, 48), d4 = v128.load(from, 64), d5 = v128.load(from, 80);
        const p = f32x4.sub(d4, f32x4.mul(four, d2)), q = f32x4.sub(d3, f32x4.mul(four, d1));
        const r = f32x4.sub(d4, d2), s = f32x4.mul(two, f32x4.sub(d3, d1));
        v128.store(to, f32x4.add(f32x4.sub(f32x4.mul(four, d0), f32x4.mul(five, d2)), d4)); to += planeStride;
        v128.store(to, f32x4.add(p, q)); to += planeStride;
        v128.store(to, f32x4.sub(p, q)); to += planeStride;
        v128.store(to, f32x4.add(r, s)); to += planeStride;
        v128.store(to, f32x4.sub(r, s)); to += planeStride;
        v128.store(to, f32x4.add(f32x4.sub(f32x4.mul(four, d1), f32x4.mul(five, d3)), d5)); to += planeStride;
      }
    }
  }
}

/**
 * The outputs of tiles [first, first + rows) from their sums: 36 planes of rows `rowStride` bytes apart. Adds the bias and
 * `residual` (like `out`; 0: none), holds the result to [low, high], and leaves out what lies beside the picture.
 */
export function transformOutput4(
  sums: usize, planeStride: i32, rowStride: i32, rows: i32, first: i32, window: Window, quads: i32,
  out: usize, outStride: i32, bias: usize, residual: usize, low: f32, high: f32, scratch: usize,
): void {
  const outHeight = window.outHeight, outWidth = window.outWidth;
  const across = (outWidth + 3) >> 2;
  const lowest = f32x4.splat(low), highest = f32x4.splat(high);
  const two = f32x4.splat(2), four = f32x4.splat(4), eight = f32x4.splat(8);
  for (let row = 0; row < rows; row++) {
    const tile = first + row;
    const tileY = tile / across;
    const top = tileY << 2, left = (tile - tileY * across) << 2;
    if (top >= outHeight) return;
    const high4 = min(4, outHeight - top), wide4 = min(4, outWidth - left);
    const corner = (top * outWidth + left) * outStride;
    for (let quad = 0; quad < quads; quad++) {
      let from = sums + row * rowStride + (quad << 4);
      // A^T over the columns of the 6x6 sums: 6 rows of 4.
      for (let i = 0; i < 6; i++) {
        const m0 = v128.load(from); from += planeStride;
        const m1 = v128.load(from); from += planeStride;
        const m2 = v128.load(from); from += planeStride;
        const m3 = v128.load(from); from += planeStride;
        const m4 = v128.load(from); from += planeStride;
        const m5 = v128.load(from); from += planeStride;
        const a = f32x4.add(m1, m2), b = f32x4.sub(m1, m2), c = f32x4.add(m3, m4), d = f32x4.sub(m3, m4);
        const to = scratch + (i << 6);
        v128.store(to, f32x4.add(f32x4.add(m0, a), c));
        v128.store(to, f32x4.add(b, f32x4.mul(two, d)), 16);
        v128.store(to, f32x4.add(a, f32x4.mul(four, c)), 32);
        v128.store(to, f32x4.add(f32x4.add(b, f32x4.mul(eight, d)), m5), 48);
      }
      const shift = v128.load(bias + (quad << 4));
      for (let j = 0; j < wide4; j++) {
        const at = scratch + (j << 4);
        const m0 = v128.load(at), m1 = v128.load(at, 64), m2 = v128.load(at, 128);
        const m3 = v128.load(at, 192), m4 = v128.load(at, 256), m5 = v128.load(at, 320);
        const a = f32x4.add(m1, m2), b = f32x4.sub(m1, m2), c = f32x4.add(m3, m4), d = f32x4.sub(m3, m4);
        const offset = corner + j * outStride + (quad << 4), line = outWidth * outStride;
        put(out, residual, offset, f32x4.add(f32x4.add(m0, a), c), shift, lowest, highest);
        if (high4 > 1) put(out, residual, offset + line, f32x4.add(b, f32x4.mul(two, d)), shift, lowest, highest);
        if (high4 > 2) put(out, residual, offset + 2 * line, f32x4.add(a, f32x4.mul(four, c)), shift, lowest, highest);
        if (high4 > 3) put(out, residual, offset + 3 * line, f32x4.add(f32x4.add(b, f32x4.mul(eight, d)), m5), shift, lowest, highest);
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
