import { multiplyAdd } from "./multiply-add";

/** a + b (isProduct: a * b) for `quads` vectors, held to [low, high]. b begins again after `period` vectors. */
export function combine(
  out: usize, a: usize, b: usize, quads: i32, period: i32, isProduct: bool, low: f32, high: f32,
): void {
  const lowest = f32x4.splat(low), highest = f32x4.splat(high);
  let at = 0;
  for (let i = 0; i < quads; i++) {
    const x = v128.load(a + (i << 4)), y = v128.load(b + (at << 4));
    const value = isProduct ? f32x4.mul(x, y) : f32x4.add(x, y);
    v128.store(out + (i << 4), f32x4.min(f32x4.max(value, lowest), highest));
    if (++at == period) at = 0;
  }
}

/** x * scale + shift by channel, for `pixels` pixels of `quads` vectors, held to [low, high]. */
export function scaleShift(
  out: usize, x: usize, scale: usize, shift: usize, pixels: i32, quads: i32, low: f32, high: f32,
): void {
  const lowest = f32x4.splat(low), highest = f32x4.splat(high);
  for (let pixel = 0; pixel < pixels; pixel++) {
    for (let quad = 0; quad < quads; quad++) {
      const value = multiplyAdd(v128.load(x), v128.load(scale + (quad << 4)), v128.load(shift + (quad << 4)));
      v128.store(out, f32x4.min(f32x4.max(value, lowest), highest));
      x += 16;
      out += 16;
    }
  }
}

/** `pixels` runs of `count` floats from one stride to another: channels of a concatenation, rows of a border. */
export function copyRuns(
  out: usize, outStride: i32, from: usize, fromStride: i32, pixels: i32, count: i32,
): void {
  const quads = count >> 2;
  for (let pixel = 0; pixel < pixels; pixel++) {
    for (let i = 0; i < quads; i++) v128.store(out + (i << 4), v128.load(from + (i << 4)));
    for (let i = quads << 2; i < count; i++) store<f32>(out + (i << 2), load<f32>(from + (i << 2)));
    out += outStride;
    from += fromStride;
  }
}

/** `count` floats of one value. */
export function fill(out: usize, value: f32, count: i32): void {
  for (let i = 0; i < count; i++) store<f32>(out + (i << 2), value);
}
