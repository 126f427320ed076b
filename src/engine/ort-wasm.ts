import type { Engine } from "./engine.ts";
import { createOrtEngine, type OrtRuntime } from "./ort-session.ts";

/**
 * onnxruntime-web on the CPU: WebAssembly with plain SIMD, which gives bit-identical vectors on every
 * machine. The number of threads is the runtime's own global setting (`env.wasm.numThreads`), made by
 * the host before the first model is loaded.
 */
export function createOrtWasmEngine(ort: OrtRuntime): Engine {
  const options = { executionProviders: ["wasm"] };
  return createOrtEngine(ort, { name: "ort-wasm", library: "onnxruntime-web", options });
}
