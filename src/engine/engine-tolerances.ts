import type { EngineName } from "./engine.ts";

/**
 * Largest absolute error of any element of a vector, beside Keras's, that an engine may have where the picture's golden
 * says less; 0: what the golden says holds. On a GPU, 5e-6: how a sum is cut and whether products are fused is its
 * maker's choice. SwiftShader lies within 4e-7 on photographs; an error of 5e-6 in all 2048 elements still
 * leaves a cosine above 0.99999997.
 */
export const engineTolerances: Readonly<Record<EngineName, number>> = {
  "ort-webgpu": 5e-6,
  "ort-native": 0,
  simd: 0,
  "ort-wasm": 0,
};

/** What one golden vector, whose own tolerance this is, has to agree to. */
export function engineTolerance(engine: EngineName, golden: number): number {
  return Math.max(golden, engineTolerances[engine]);
}
