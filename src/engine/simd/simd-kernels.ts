/**
 * The exports of kernels/index.ts. Pointers and strides are bytes of the one memory; `low` and `high` hold a result. A
 * kernel keeps nothing between calls, so several instances may work on one shared memory.
 */
export interface SimdKernels {
  /** Rows that `multiplyBlock` handles best at a time: 6, and 5 without fused multiply-add. */
  groupSize(): number;
  // biome-ignore format: one line each, as in the kernels
  multiplyBlock(a: number, sixes: number, fives: number, depth: number, b: number, panels: number, panelStride: number, out: number, outStride: number, start: number, residual: number, low: number, high: number, isLast: boolean): void;
  // biome-ignore format: as above
  packRows(out: number, source: number, window: number, rows: number, first: number, tapFrom: number, tapTo: number, channelOffset: number, quads: number): void;
  // biome-ignore format: as above
  transformInput2(out: number, planeStride: number, source: number, window: number, rows: number, first: number, quads: number, scratch: number): void;
  // biome-ignore format: as above
  transformOutput2(sums: number, planeStride: number, rowStride: number, rows: number, first: number, window: number, quads: number, out: number, outStride: number, bias: number, residual: number, low: number, high: number, scratch: number): void;
  transformInput4: SimdKernels["transformInput2"];
  transformOutput4: SimdKernels["transformOutput2"];
  // biome-ignore format: as above
  depthwise(out: number, outStride: number, source: number, window: number, weights: number, bias: number, first: number, count: number, quads: number, low: number, high: number): void;
  // biome-ignore format: as above
  maxPool(out: number, outStride: number, source: number, window: number, first: number, count: number, quads: number): void;
  // biome-ignore format: as above
  averagePool(out: number, outStride: number, source: number, window: number, first: number, count: number, quads: number, divisor: number): void;
  // biome-ignore format: as above
  combine(out: number, a: number, b: number, quads: number, period: number, isProduct: boolean, low: number, high: number): void;
  // biome-ignore format: as above
  scaleShift(out: number, x: number, scale: number, shift: number, pixels: number, quads: number, low: number, high: number): void;
  // biome-ignore format: as above
  copyRuns(out: number, outStride: number, from: number, fromStride: number, pixels: number, count: number): void;
  fill(out: number, value: number, count: number): void;
  activate(out: number, x: number, quads: number, kind: number, alpha: number, gamma: number): void;
  softmax(out: number, x: number, count: number): void;
  // biome-ignore format: as above
  layerNorm(out: number, x: number, gamma: number, beta: number, pixels: number, quads: number, channels: number, epsilon: number): void;
}

/** @param module of either build of the kernels */
export async function openKernels(
  module: WebAssembly.Module,
  memory: WebAssembly.Memory,
): Promise<SimdKernels> {
  const { exports } = await WebAssembly.instantiate(module, { env: { memory } });
  return exports as unknown as SimdKernels;
}
