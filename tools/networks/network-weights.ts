import { splitWeightName, type WeightTensor } from "../../src/convert/keras-format/keras-model.ts";

/**
 * Random weights for whole networks, made of a weight's name, shape and a seed. The same float32 bits as of
 * fixtures/generation/network_weights.py, whose steps these are: whole numbers modulo 2 ** 32 and single operations
 * of IEEE 754, then one rounding to float32.
 */

/** What all weights of one network share. */
export interface WeightSeed {
  readonly seed: number;
  /** Times the range of kernels: keeps a network's activations near 1, however deep it is. */
  readonly gain: number;
}

/** Least and largest value of the variables that no shape matters to. */
const ranges: Readonly<Record<string, readonly [least: number, largest: number]>> = {
  gamma: [0.5, 1.5],
  moving_variance: [0.5, 1.5],
  variance: [0.5, 1.5],
  beta: [-0.5, 0.5],
  moving_mean: [-0.5, 0.5],
  mean: [-0.5, 0.5],
  bias: [-0.5, 0.5],
  count: [1, 1],
};

/**
 * Values of the weight `layer/variable`, in C order.
 * @throws Error for a variable that has no range
 */
export function randomWeight(name: string, shape: readonly number[], seed: WeightSeed): WeightTensor {
  const [least, largest] = valueRange(splitWeightName(name).variable, shape, seed.gain);
  const data = new Float32Array(product(shape));
  const width = largest - least;
  let counter = mix((hashText(name) + seed.seed) | 0);
  for (let i = 0; i < data.length; i++) {
    data[i] = least + width * ((mix(counter) >>> 8) / 2 ** 24);
    counter = (counter + 0x9e3779b9) | 0;
  }
  return { shape, data };
}

/** Kernels as He's uniform ones, times the gain. */
function valueRange(
  variable: string,
  shape: readonly number[],
  gain: number,
): readonly [least: number, largest: number] {
  if (variable === "kernel" || variable === "pointwise_kernel") {
    const limit = gain * Math.sqrt(6 / product(shape.slice(0, -1)));
    return [-limit, limit];
  }
  if (variable === "depthwise_kernel") {
    const limit = gain * Math.sqrt(6 / (shape[0]! * shape[1]!));
    return [-limit, limit];
  }
  const range = ranges[variable];
  if (!range) throw new Error(`no range of random values for a variable named "${variable}"`);
  return range;
}

/** FNV-1a of the UTF-8 bytes, 32 bits. */
function hashText(text: string): number {
  let digest = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) digest = Math.imul(digest ^ byte, 0x01000193);
  return digest;
}

/** Each bit of the answer depends on each bit of the value (the last step of MurmurHash3). */
function mix(value: number): number {
  let hash = value ^ (value >>> 16);
  hash = Math.imul(hash, 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

const product = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);
