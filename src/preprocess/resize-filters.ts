import type { Interpolation } from "./preprocess-spec.ts";

/** A resampling filter: its weight at a distance in source pixels, zero beyond `support`. */
export interface ResizeFilter {
  readonly support: number;
  weigh(distance: number): number;
}

/** Pillow's filters (Resample.c), each expression in its order of operations. */
export const resizeFilters: Record<Exclude<Interpolation, "nearest">, ResizeFilter> = {
  box: { support: 0.5, weigh: (x) => (x > -0.5 && x <= 0.5 ? 1 : 0) },
  bilinear: {
    support: 1,
    weigh: (x) => {
      const distance = Math.abs(x);
      return distance < 1 ? 1 - distance : 0;
    },
  },
  bicubic: { support: 2, weigh: weighBicubic },
  hamming: { support: 1, weigh: weighHamming },
  lanczos: { support: 3, weigh: (x) => (x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0) },
};

/** Keys' cubic convolution with a = -0.5. */
function weighBicubic(x: number): number {
  const a = -0.5;
  const distance = Math.abs(x);
  if (distance < 1) return ((a + 2) * distance - (a + 3)) * distance * distance + 1;
  if (distance < 2) return (((distance - 5) * distance + 8) * distance - 4) * a;
  return 0;
}

/** Sinc within Hamming's window, whose two constants Pillow has in float32. */
function weighHamming(x: number): number {
  const distance = Math.abs(x);
  if (distance === 0) return 1;
  if (distance >= 1) return 0;
  const angle = distance * Math.PI;
  return (Math.sin(angle) / angle) * (Math.fround(0.54) + Math.fround(0.46) * Math.cos(angle));
}

function sinc(x: number): number {
  if (x === 0) return 1;
  const angle = x * Math.PI;
  return Math.sin(angle) / angle;
}
