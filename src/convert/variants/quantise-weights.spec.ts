import { expect, test } from "vitest";
import { quantiseWeights } from "./quantise-weights.ts";

const kernel = (...data: number[]) =>
  ({ kind: "float32", shape: [2, data.length / 2, 1, 1], data: Float32Array.from(data) }) as const;

test("each filter has steps of its own, and a bias in steps of both", () => {
  const { kernelSteps, scales, biasSteps, biasScales } = quantiseWeights(
    kernel(0.5, -1, 127, 63.5),
    Float32Array.of(3, -4),
    0.25,
  );
  expect(Array.from(kernelSteps)).toEqual([64, -127, 127, 64]);
  expect(Array.from(scales)).toEqual([Math.fround(1 / 127), 1]);
  expect(Array.from(biasScales)).toEqual([Math.fround(0.25 * Math.fround(1 / 127)), 0.25]);
  expect(Array.from(biasSteps)).toEqual([1524, -16]);
});

test.each<[string, number[], number[]]>([
  ["no weights and no bias", [0, 0, 0, 0], [0, 0]],
  ["no weights, and a bias", [0, 0, 0, 0], [5, -1e6]],
  ["tiny weights, and a large bias", [1e-30, 0, 1e-20, 1e-20], [1000, -1000]],
  ["large weights", [1e30, -1e30, 5, 5], [1, 1]],
])("%s: nothing overflows, and what was zero stays zero", (_, weights, biases) => {
  const bias = Float32Array.from(biases);
  const { kernelSteps, scales, biasSteps, biasScales } = quantiseWeights(kernel(...weights), bias, 0.02);
  weights.forEach((weight, index) => {
    const filter = index >> 1;
    // Half a step, and what float32 loses of the product.
    const error = Math.abs(kernelSteps[index]! * scales[filter]! - weight);
    expect(error).toBeLessThanOrEqual(scales[filter]! * 0.5001);
    if (weight === 0) expect(kernelSteps[index]).toBeCloseTo(0, 12);
  });
  biases.forEach((value, filter) => {
    expect(scales[filter]).toBeGreaterThan(0);
    expect(Math.abs(biasSteps[filter]!)).toBeLessThanOrEqual(2 ** 30 + 128);
    expect(Math.abs(biasSteps[filter]! * biasScales[filter]! - value)).toBeLessThanOrEqual(
      biasScales[filter]! * 0.5 + Math.abs(value) * 1e-6,
    );
  });
});
