import { multiplyAdd } from "./multiply-add";

/*
 * Written out by hand where a loop would do, since V8 keeps 15 vectors in registers and no array: twelve sums, two vectors of
 * a panel and one factor fill them exactly. One more, or -O3, makes it spill, at half the speed.
 */

// @ts-ignore: a decorator of AssemblyScript
@inline
function finish(out: usize, residual: usize, c0: v128, c1: v128, lowest: v128, highest: v128): void {
  if (residual != 0) {
    c0 = f32x4.add(c0, v128.load(residual));
    c1 = f32x4.add(c1, v128.load(residual, 16));
  }
  v128.store(out, f32x4.min(f32x4.max(c0, lowest), highest));
  v128.store(out, f32x4.min(f32x4.max(c1, lowest), highest), 16);
}

/** 6 rows x 8 columns; see `multiplyBlock`. */
function tile6(
  a: usize, b: usize, depth: usize, out: usize, outStride: usize,
  start: usize, residual: usize, low: f32, high: f32, isLast: bool,
): void {
  let c00: v128, c01: v128;
  let c10: v128, c11: v128;
  let c20: v128, c21: v128;
  let c30: v128, c31: v128;
  let c40: v128, c41: v128;
  let c50: v128, c51: v128;
  if (start != 0) {
    c00 = v128.load(start); c01 = v128.load(start, 16);
    c10 = c00; c11 = c01;
    c20 = c00; c21 = c01;
    c30 = c00; c31 = c01;
    c40 = c00; c41 = c01;
    c50 = c00; c51 = c01;
  } else {
    c00 = f32x4.splat(0); c01 = c00;
    c10 = c00; c11 = c00;
    c20 = c00; c21 = c00;
    c30 = c00; c31 = c00;
    c40 = c00; c41 = c00;
    c50 = c00; c51 = c00;
  }
  while (depth != 0) {
    let b0 = v128.load(b), b1 = v128.load(b, 16), x: v128;
    x = v128.load32_splat(a, 0); c00 = multiplyAdd(x, b0, c00); c01 = multiplyAdd(x, b1, c01);
    x = v128.load32_splat(a, 16); c10 = multiplyAdd(x, b0, c10); c11 = multiplyAdd(x, b1, c11);
    x = v128.load32_splat(a, 32); c20 = multiplyAdd(x, b0, c20); c21 = multiplyAdd(x, b1, c21);
    x = v128.load32_splat(a, 48); c30 = multiplyAdd(x, b0, c30); c31 = multiplyAdd(x, b1, c31);
    x = v128.load32_splat(a, 64); c40 = multiplyAdd(x, b0, c40); c41 = multiplyAdd(x, b1, c41);
    x = v128.load32_splat(a, 80); c50 = multiplyAdd(x, b0, c50); c51 = multiplyAdd(x, b1, c51);
    b0 = v128.load(b, 32); b1 = v128.load(b, 48);
    x = v128.load32_splat(a, 4); c00 = multiplyAdd(x, b0, c00); c01 = multiplyAdd(x, b1, c01);
    x = v128.load32_splat(a, 20); c10 = multiplyAdd(x, b0, c10); c11 = multiplyAdd(x, b1, c11);
    x = v128.load32_splat(a, 36); c20 = multiplyAdd(x, b0, c20); c21 = multiplyAdd(x, b1, c21);
    x = v128.load32_splat(a, 52); c30 = multiplyAdd(x, b0, c30); c31 = multiplyAdd(x, b1, c31);
    x = v128.load32_splat(a, 68); c40 = multiplyAdd(x, b0, c40); c41 = multiplyAdd(x, b1, c41);
    x = v128.load32_splat(a, 84); c50 = multiplyAdd(x, b0, c50); c51 = multiplyAdd(x, b1, c51);
    b0 = v128.load(b, 64); b1 = v128.load(b, 80);
    x = v128.load32_splat(a, 8); c00 = multiplyAdd(x, b0, c00); c01 = multiplyAdd(x, b1, c01);
    x = v128.load32_splat(a, 24); c10 = multiplyAdd(x, b0, c10); c11 = multiplyAdd(x, b1, c11);
    x = v128.load32_splat(a, 40); c20 = multiplyAdd(x, b0, c20); c21 = multiplyAdd(x, b1, c21);
    x = v128.load32_splat(a, 56); c30 = multiplyAdd(x, b0, c30); c31 = multiplyAdd(x, b1, c31);
    x = v128.load32_splat(a, 72); c40 = multiplyAdd(x, b0, c40); c41 = multiplyAdd(x, b1, c41);
    x = v128.load32_splat(a, 88); c50 = multiplyAdd(x, b0, c50); c51 = multiplyAdd(x, b1, c51);
    b0 = v128.load(b, 96); b1 = v128.load(b, 112);
    x = v128.load32_splat(a, 12); c00 = multiplyAdd(x, b0, c00); c01 = multiplyAdd(x, b1, c01);
    x = v128.load32_splat(a, 28); c10 = multiplyAdd(x, b0, c10); c11 = multiplyAdd(x, b1, c11);
    x = v128.load32_splat(a, 44); c20 = multiplyAdd(x, b0, c20); c21 = multiplyAdd(x, b1, c21);
    x = v128.load32_splat(a, 60); c30 = multiplyAdd(x, b0, c30); c31 = multiplyAdd(x, b1, c31);
    x = v128.load32_splat(a, 76); c40 = multiplyAdd(x, b0, c40); c41 = multiplyAdd(x, b1, c41);
    x = v128.load32_splat(a, 92); c50 = multiplyAdd(x, b0, c50); c51 = multiplyAdd(x, b1, c51);
    a += 96; b += 128; depth--;
  }
  if (start == 0) {
    let from = out;
    c00 = f32x4.add(c00, v128.load(from)); c01 = f32x4.add(c01, v128.load(from, 16)); from += outStride;
    c10 = f32x4.add(c10, v128.load(from)); c11 = f32x4.add(c11, v128.load(from, 16)); from += outStride;
    c20 = f32x4.add(c20, v128.load(from)); c21 = f32x4.add(c21, v128.load(from, 16)); from += outStride;
    c30 = f32x4.add(c30, v128.load(from)); c31 = f32x4.add(c31, v128.load(from, 16)); from += outStride;
    c40 = f32x4.add(c40, v128.load(from)); c41 = f32x4.add(c41, v128.load(from, 16)); from += outStride;
    c50 = f32x4.add(c50, v128.load(from)); c51 = f32x4.add(c51, v128.load(from, 16));
  }
  if (!isLast) {
    v128.store(out, c00); v128.store(out, c01, 16); out += outStride;
    v128.store(out, c10); v128.store(out, c11, 16); out += outStride;
    v128.store(out, c20); v128.store(out, c21, 16); out += outStride;
    v128.store(out, c30); v128.store(out, c31, 16); out += outStride;
    v128.store(out, c40); v128.store(out, c41, 16); out += outStride;
    v128.store(out, c50); v128.store(out, c51, 16);
    return;
  }
  const lowest = f32x4.splat(low), highest = f32x4.splat(high);
  finish(out, residual, c00, c01, lowest, highest); out += outStride; if (residual != 0) residual += outStride;
  finish(out, residual, c10, c11, lowest, highest); out += outStride; if (residual != 0) residual += outStride;
  finish(out, residual, c20, c21, lowest, highest); out += outStride; if (residual != 0) residual += outStride;
  finish(out, residual, c30, c31, lowest, highest); out += outStride; if (residual != 0) residual += outStride;
  finish(out, residual, c40, c41, lowest, highest); out += outStride; if (residual != 0) residual += outStride;
  finish(out, residual, c50, c51, lowest, highest);
}

/** 5 rows x 8 columns; see `multiplyBlock`. */
function tile5(
  a: usize, b: usize, depth: usize, out: usize, outStride: usize,
  start: usize, residual: usize, low: f32, high: f32, isLast: bool,
): void {
  let c00: v128, c01: v128;
  let c10: v128, c11: v128;
  let c20: v128, c21: v128;
  let c30: v128, c31: v128;
  let c40: v128, c41: v128;
  if (start != 0) {
    c00 = v128.load(start); c01 = v128.load(start, 16);
    c10 = c00; c11 = c01;
    c20 = c00; c21 = c01;
    c30 = c00; c31 = c01;
    c40 = c00; c41 = c01;
  } else {
    c00 = f32x4.splat(0); c01 = c00;
    c10 = c00; c11 = c00;
    c20 = c00; c21 = c00;
    c30 = c00; c31 = c00;
    c40 = c00; c41 = c00;
  }
  while (depth != 0) {
    let b0 = v128.load(b), b1 = v128.load(b, 16), x: v128;
    x = v128.load32_splat(a, 0); c00 = multiplyAdd(x, b0, c00); c01 = multiplyAdd(x, b1, c01);
    x = v128.load32_splat(a, 16); c10 = multiplyAdd(x, b0, c10); c11 = multiplyAdd(x, b1, c11);
    x = v128.load32_splat(a, 32); c20 = multiplyAdd(x, b0, c20); c21 = multiplyAdd(x, b1, c21);
    x = v128.load32_splat(a, 48); c30 = multiplyAdd(x, b0, c30); c31 = multiplyAdd(x, b1, c31);
    x = v128.load32_splat(a, 64); c40 = multiplyAdd(x, b0, c40); c41 = multiplyAdd(x, b1, c41);
    b0 = v128.load(b, 32); b1 = v128.load(b, 48);
    x = v128.load32_splat(a, 4); c00 = multiplyAdd(x, b0, c00); c01 = multiplyAdd(x, b1, c01);
    x = v128.load32_splat(a, 20); c10 = multiplyAdd(x, b0, c10); c11 = multiplyAdd(x, b1, c11);
    x = v128.load32_splat(a, 36); c20 = multiplyAdd(x, b0, c20); c21 = multiplyAdd(x, b1, c21);
    x = v128.load32_splat(a, 52); c30 = multiplyAdd(x, b0, c30); c31 = multiplyAdd(x, b1, c31);
    x = v128.load32_splat(a, 68); c40 = multiplyAdd(x, b0, c40); c41 = multiplyAdd(x, b1, c41);
    b0 = v128.load(b, 64); b1 = v128.load(b, 80);
    x = v128.load32_splat(a, 8); c00 = multiplyAdd(x, b0, c00); c01 = multiplyAdd(x, b1, c01);
    x = v128.load32_splat(a, 24); c10 = multiplyAdd(x, b0, c10); c11 = multiplyAdd(x, b1, c11);
    x = v128.load32_splat(a, 40); c20 = multiplyAdd(x, b0, c20); c21 = multiplyAdd(x, b1, c21);
    x = v128.load32_splat(a, 56); c30 = multiplyAdd(x, b0, c30); c31 = multiplyAdd(x, b1, c31);
    x = v128.load32_splat(a, 72); c40 = multiplyAdd(x, b0, c40); c41 = multiplyAdd(x, b1, c41);
    b0 = v128.load(b, 96); b1 = v128.load(b, 112);
    x = v128.load32_splat(a, 12); c00 = multiplyAdd(x, b0, c00); c01 = multiplyAdd(x, b1, c01);
    x = v128.load32_splat(a, 28); c10 = multiplyAdd(x, b0, c10); c11 = multiplyAdd(x, b1, c11);
    x = v128.load32_splat(a, 44); c20 = multiplyAdd(x, b0, c20); c21 = multiplyAdd(x, b1, c21);
    x = v128.load32_splat(a, 60); c30 = multiplyAdd(x, b0, c30); c31 = multiplyAdd(x, b1, c31);
    x = v128.load32_splat(a, 76); c40 = multiplyAdd(x, b0, c40); c41 = multiplyAdd(x, b1, c41);
    a += 80; b += 128; depth--;
  }
  if (start == 0) {
    let from = out;
    c00 = f32x4.add(c00, v128.load(from)); c01 = f32x4.add(c01, v128.load(from, 16)); from += outStride;
    c10 = f32x4.add(c10, v128.load(from)); c11 = f32x4.add(c11, v128.load(from, 16)); from += outStride;
    c20 = f32x4.add(c20, v128.load(from)); c21 = f32x4.add(c21, v128.load(from, 16)); from += outStride;
    c30 = f32x4.add(c30, v128.load(from)); c31 = f32x4.add(c31, v128.load(from, 16)); from += outStride;
    c40 = f32x4.add(c40, v128.load(from)); c41 = f32x4.add(c41, v128.load(from, 16));
  }
  if (!isLast) {
    v128.store(out, c00); v128.store(out, c01, 16); out += outStride;
    v128.store(out, c10); v128.store(out, c11, 16); out += outStride;
    v128.store(out, c20); v128.store(out, c21, 16); out += outStride;
    v128.store(out, c30); v128.store(out, c31, 16); out += outStride;
    v128.store(out, c40); v128.store(out, c41, 16);
    return;
  }
  const lowest = f32x4.splat(low), highest = f32x4.splat(high);
  finish(out, residual, c00, c01, lowest, highest); out += outStride; if (residual != 0) residual += outStride;
  finish(out, residual, c10, c11, lowest, highest); out += outStride; if (residual != 0) residual += outStride;
  finish(out, residual, c20, c21, lowest, highest); out += outStride; if (residual != 0) residual += outStride;
  finish(out, residual, c30, c31, lowest, highest); out += outStride; if (residual != 0) residual += outStride;
  finish(out, residual, c40, c41, lowest, highest);
}

/**
 * A block of rows times `panels` panels of 8 columns, over `depth` * 4 steps of the inner dimension.
 * a: packed rows, `sixes` groups of 6 and then `fives` groups of 5, each [depth][6 or 5][4].
 * b: panels [depth * 4][8], `panelStride` bytes apart. out: rows `outStride` bytes apart.
 * start: (panels * 8) floats with which the sums begin; 0: they are added to `out`, which loses fewer digits than to go on
 * from there.
 * isLast: the sums are complete; then `residual` (like `out`; 0: none) is added and the result held to [low, high].
 */
export function multiplyBlock(
  a: usize, sixes: i32, fives: i32, depth: usize, b: usize, panels: i32, panelStride: usize,
  out: usize, outStride: usize, start: usize, residual: usize, low: f32, high: f32, isLast: bool,
): void {
  let to = out, more = residual;
  for (let group = sixes + fives; group != 0; group--) {
    const isSix = group > fives;
    let panel = b, at = to, also = more, begin = start;
    for (let i = panels; i != 0; i--) {
      if (isSix) tile6(a, panel, depth, at, outStride, begin, also, low, high, isLast);
      else tile5(a, panel, depth, at, outStride, begin, also, low, high, isLast);
      panel += panelStride;
      at += 32;
      if (begin != 0) begin += 32;
      if (also != 0) also += 32;
    }
    const rows: usize = isSix ? 6 : 5;
    a += depth * rows * 16;
    to += outStride * rows;
    if (more != 0) more += outStride * rows;
  }
}

/** Without fused multiply-add a product needs a register of its own, and six rows would spill. */
export function groupSize(): i32 {
  return RELAXED ? 6 : 5;
}
