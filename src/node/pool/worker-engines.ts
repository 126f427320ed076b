import * as ort from "onnxruntime-web";
import type { Engine, EngineName } from "../../engine/engine.ts";
import { createOrtWasmEngine } from "../../engine/ort-wasm.ts";
import { createSimdEngine, type SimdSharing } from "../../engine/simd/simd-engine.ts";
import type { WorkerStart } from "./worker-protocol.ts";

/**
 * Each engine with the runtime that a worker has for it. Runtimes are not imported on demand: a thread that was ended in
 * the middle of such an import was seen to take the process with it (SIGSEGV, Node 24.21).
 */
export const workerEngines: Readonly<
  Record<EngineName, (setup: WorkerStart, sharing: SimdSharing) => Engine>
> = {
  "ort-wasm"({ threads }) {
    ort.env.wasm.numThreads = threads;
    return createOrtWasmEngine(ort);
  },
  simd: ({ kernels }, sharing) => createSimdEngine(kernels, sharing),
};
