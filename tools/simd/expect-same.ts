import { readFileSync } from "node:fs";
import * as ort from "onnxruntime-web";
import { expect } from "vitest";
import { createOrtWasmEngine } from "../../src/engine/ort-wasm.ts";
import { createSimdEngine } from "../../src/engine/simd/simd-engine.ts";

const kernels = new URL("../../src/engine/simd/kernels-plain.wasm", import.meta.url);

/** Two pictures for a network of `smallGraph`. */
const tensor = Float32Array.from({ length: 2 * 60 }, (_, i) => 3 * Math.cos(i * i));

/** Holds what our own kernels give for a network of `smallGraph` against what onnxruntime-web gives. */
export async function expectSame(onnx: Uint8Array): Promise<void> {
  ort.env.wasm.numThreads = 1;
  const engines = [createOrtWasmEngine(ort), createSimdEngine(new WebAssembly.Module(readFileSync(kernels)))];
  const results = await Promise.all(engines.map(async (engine) => (await engine.load(onnx)).run(tensor, 2)));
  const [expected, features] = results as [Float32Array, Float32Array];
  const worst = expected.reduce((most, value, i) => Math.max(most, Math.abs(value - features[i]!)), 0);
  expect(features.length).toBe(expected.length);
  expect(worst).toBeLessThan(1e-5);
}
