import type { Engine, EngineName } from "../../engine/engine.ts";
import { createOrtNativeEngine } from "../../engine/ort-native.ts";
import { createOrtWasmEngine } from "../../engine/ort-wasm.ts";
import { createSimdEngine } from "../../engine/simd/simd-engine.ts";
import type { SimdSharing } from "../../engine/simd/simd-sharing.ts";
import { loadNativeRuntime } from "./native-runtime.ts";
import type { WorkerStart } from "./worker-protocol.ts";

/** Each engine with the runtime that a worker has for it, which is imported for those that need it only. */
export const workerEngines: Readonly<
  Record<EngineName, (setup: WorkerStart, sharing: SimdSharing) => Engine | Promise<Engine>>
> = {
  async "ort-wasm"({ threads }) {
    const ort = await import("onnxruntime-web");
    ort.env.wasm.numThreads = threads;
    return createOrtWasmEngine(ort);
  },
  simd: ({ kernels }, sharing) => createSimdEngine(kernels, sharing),
  "ort-native": ({ threads, nativeCalls }) => createOrtNativeEngine(loadNativeRuntime(nativeCalls), threads),
};
