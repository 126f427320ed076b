import { multiplyAdd } from "./multiply-add";

/**
 * gamma * (x - mean) / sqrt(variance + epsilon) + beta, with mean and variance of the `channels` values of each pixel, for
 * `pixels` pixels of `quads` vectors. gamma and beta are zero behind the last channel.
 */
export function layerNorm(
  out: usize, x: usize, gamma: usize, beta: usize, pixels: i32, quads: i32, channels: i32, epsilon: f32,
): void {
  const whole = channels >> 2;
  const count = <f32>channels;
  for (let pixel = 0; pixel < pixels; pixel++) {
    let sums = f32x4.splat(0);
    for (let i = 0; i < whole; i++) sums = f32x4.add(sums, v128.load(x + (i << 4)));
    let sum = addLanes(sums);
    for (let i = whole << 2; i < channels; i++) sum += load<f32>(x + (i << 2));
    const mean = f32x4.splat(sum / count);
    let squares = f32x4.splat(0);
    for (let i = 0; i < whole; i++) {
      const centred = f32x4.sub(v128.load(x + (i << 4)), mean);
      squares = multiplyAdd(centred, centred, squares);
    }
    let square = addLanes(squares);
    for (let i = whole << 2; i < channels; i++) {
      const centred = load<f32>(x + (i << 2)) - f32x4.extract_lane(mean, 0);
      square += centred * centred;
    }
    const scale = f32x4.splat(1 / sqrt<f32>(square / count + epsilon));
    for (let i = 0; i < quads; i++) {
      const centred = f32x4.sub(v128.load(x + (i << 4)), mean);
      const scaled = f32x4.mul(scale, v128.load(gamma + (i << 4)));
      v128.store(out + (i << 4), multiplyAdd(centred, scaled, v128.load(beta + (i << 4))));
    }
    x += quads << 4;
    out += quads << 4;
  }
}

function addLanes(x: v128): f32 {
  return f32x4.extract_lane(x, 0) + f32x4.extract_lane(x, 1) + f32x4.extract_lane(x, 2) + f32x4.extract_lane(x, 3);
}
