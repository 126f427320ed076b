/**
 * a * b + c for each of four lanes. Relaxed: one fused instruction where the CPU has one. Plain: two rounded
 * steps, which give the same bits on every machine. RELAXED is a constant of the build.
 */
// @ts-ignore: a decorator of AssemblyScript, unknown to TypeScript
@inline
export function multiplyAdd(a: v128, b: v128, c: v128): v128 {
  if (RELAXED) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(f32x4.mul(a, b), c);
}
