import { exponential } from "./exponential";
import { multiplyAdd } from "./multiply-add";

/*
 * Activations that are no clamp, by number; `activations` in src/engine/simd/operators/elementwise.ts has the same numbers.
 * ONNX operators of the same names; alpha and gamma are their attributes.
 */
const SIGMOID = 1;
const TANH = 2;
const ELU = 3;
const SELU = 4;
const SOFTPLUS = 5;
const SOFTSIGN = 6;
const LEAKY_RELU = 7;
const GELU = 8;

/** `quads` vectors of x through the activation `kind`. */
export function activate(out: usize, x: usize, quads: i32, kind: i32, alpha: f32, gamma: f32): void {
  for (let i = 0; i < quads; i++) {
    v128.store(out + (i << 4), apply(v128.load(x + (i << 4)), kind, f32x4.splat(alpha), f32x4.splat(gamma)));
  }
}

function apply(x: v128, kind: i32, alpha: v128, gamma: v128): v128 {
  const one = f32x4.splat(1), zero = f32x4.splat(0);
  switch (kind) {
    case SIGMOID: return f32x4.div(one, f32x4.add(one, exponential(f32x4.neg(x))));
    case TANH: return tanh(x);
    case ELU: return v128.bitselect(f32x4.mul(alpha, expm1(x)), x, f32x4.lt(x, zero));
    case SELU: return f32x4.mul(gamma, v128.bitselect(f32x4.mul(alpha, expm1(x)), x, f32x4.le(x, zero)));
    case SOFTPLUS: return softplus(x);
    case SOFTSIGN: return f32x4.div(x, f32x4.add(one, f32x4.abs(x)));
    case LEAKY_RELU: return v128.bitselect(f32x4.mul(alpha, x), x, f32x4.lt(x, zero));
    case GELU: return gelu(x);
    default: unreachable();
  }
  return x;
}

/** Near zero by its series, since 1 - 2 / (e^2x + 1) loses all digits there (Cephes's tanhf). */
function tanh(x: v128): v128 {
  const z = f32x4.mul(x, x);
  let p = f32x4.splat(-5.70498872745e-3);
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(2.06390887954e-2));
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(-5.37397155531e-2));
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(1.33314422036e-1));
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(-3.33332819422e-1));
  const near = f32x4.add(f32x4.mul(f32x4.mul(p, z), x), x);
  const one = f32x4.splat(1), two = f32x4.splat(2);
  const size = f32x4.abs(x);
  const far = f32x4.sub(one, f32x4.div(two, f32x4.add(exponential(f32x4.mul(two, size)), one)));
  const signed = v128.or(far, v128.and(x, f32x4.splat(-0.0)));
  return v128.bitselect(near, signed, f32x4.lt(size, f32x4.splat(0.625)));
}

/** x / 2 * (1 + erf(x / sqrt 2)). */
function gelu(x: v128): v128 {
  const half = f32x4.splat(0.5);
  const side = errorFunction(f32x4.mul(x, f32x4.splat(0.70710678118654752)));
  return f32x4.mul(f32x4.mul(x, half), f32x4.add(f32x4.splat(1), side));
}

/**
 * erf x within 2e-7: up to 1 by Cephes's erff, beyond by Abramowitz and Stegun 7.1.26,
 * 1 - (a1 t + ... + a5 t^5) e^(-x^2) with t = 1 / (1 + 0.3275911 |x|).
 */
function errorFunction(x: v128): v128 {
  const one = f32x4.splat(1);
  const size = f32x4.abs(x);
  const z = f32x4.mul(x, x);
  let p = f32x4.splat(7.853861353153693e-5);
  p = multiplyAdd(p, z, f32x4.splat(-8.010193625184903e-4));
  p = multiplyAdd(p, z, f32x4.splat(5.188327685732524e-3));
  p = multiplyAdd(p, z, f32x4.splat(-2.685381193529856e-2));
  p = multiplyAdd(p, z, f32x4.splat(1.128358514861418e-1));
  p = multiplyAdd(p, z, f32x4.splat(-3.761262582423300e-1));
  p = multiplyAdd(p, z, f32x4.splat(1.128379165726710));
  const near = f32x4.mul(p, x);
  const t = f32x4.div(one, multiplyAdd(size, f32x4.splat(0.3275911), one));
  let q = f32x4.splat(1.061405429);
  q = multiplyAdd(q, t, f32x4.splat(-1.453152027));
  q = multiplyAdd(q, t, f32x4.splat(1.421413741));
  q = multiplyAdd(q, t, f32x4.splat(-0.284496736));
  q = multiplyAdd(q, t, f32x4.splat(0.254829592));
  const rest = f32x4.mul(f32x4.mul(q, t), exponential(f32x4.neg(z)));
  const far = v128.or(f32x4.sub(one, rest), v128.and(x, f32x4.splat(-0.0)));
  return v128.bitselect(near, far, f32x4.lt(size, one));
}

/** e^x - 1 for x <= 0; near zero by its series. */
function expm1(x: v128): v128 {
  let p = f32x4.splat(1.3888889e-3);
  p = f32x4.add(f32x4.mul(p, x), f32x4.splat(8.3333333e-3));
  p = f32x4.add(f32x4.mul(p, x), f32x4.splat(4.1666668e-2));
  p = f32x4.add(f32x4.mul(p, x), f32x4.splat(1.6666667e-1));
  p = f32x4.add(f32x4.mul(p, x), f32x4.splat(0.5));
  const near = f32x4.add(f32x4.mul(f32x4.mul(p, x), x), x);
  const far = f32x4.sub(exponential(f32x4.min(x, f32x4.splat(0))), f32x4.splat(1));
  return v128.bitselect(near, far, f32x4.gt(x, f32x4.splat(-0.25)));
}

/** ln(1 + e^x) = max(x, 0) + ln(1 + e^-|x|), lane by lane: no network of Keras has it in a hot place. */
function softplus(x: v128): v128 {
  const rest = exponential(f32x4.neg(f32x4.abs(x)));
  let result = f32x4.max(x, f32x4.splat(0));
  result = f32x4.add(result, log1p(rest));
  return result;
}

/** ln(1 + y) for y in [0, 1]: 2 artanh(y / (2 + y)), whose series in s = y / (2 + y) <= 1/3 ends soon. */
function log1p(y: v128): v128 {
  const s = f32x4.div(y, f32x4.add(f32x4.splat(2), y));
  const z = f32x4.mul(s, s);
  let p = f32x4.splat(1.0 / 15);
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(1.0 / 13));
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(1.0 / 11));
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(1.0 / 9));
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(1.0 / 7));
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(1.0 / 5));
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(1.0 / 3));
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(1));
  return f32x4.mul(f32x4.mul(f32x4.splat(2), s), p);
}

/** e^x / sum of e^x over `count` floats; the largest is taken away first, so that nothing overflows. */
export function softmax(out: usize, x: usize, count: i32): void {
  let largest: f32 = -Infinity;
  for (let i = 0; i < count; i++) largest = max(largest, load<f32>(x + (i << 2)));
  let sum: f32 = 0;
  for (let i = 0; i < count; i++) {
    const value = f32x4.extract_lane(exponential(f32x4.splat(load<f32>(x + (i << 2)) - largest)), 0);
    store<f32>(out + (i << 2), value);
    sum += value;
  }
  for (let i = 0; i < count; i++) store<f32>(out + (i << 2), load<f32>(out + (i << 2)) / sum);
}
