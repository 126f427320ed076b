import type { Engine, EngineName } from "../../engine/engine.ts";
import { createOrtNativeEngine } from "../../engine/ort-native.ts";
import { createOrtWasmEngine } from "../../engine/ort-wasm.ts";
import { createOrtWebGpuEngine, type OrtWebGpuHost } from "../../engine/ort-webgpu.ts";
import { createSimdEngine } from "../../engine/simd/simd-engine.ts";
import type { SimdSharing } from "../../engine/simd/simd-sharing.ts";
import { loadNativeRuntime } from "./native-runtime.ts";
import { loadWebGpuRuntime } from "./webgpu-runtime.ts";
import type { WorkerStart } from "./worker-protocol.ts";

/** What the engine `ort-webgpu` tells of its GPU. */
export type GpuReports = Pick<OrtWebGpuHost, "onAdapter" | "onDeviceReplaced">;

/** Each engine with the runtime that a worker has for it, which is imported for those that need it only. */
export const workerEngines: Readonly<
  Record<EngineName, (setup: WorkerStart, sharing: SimdSharing, gpu: GpuReports) => Engine | Promise<Engine>>
> = {
  async "ort-wasm"({ threads }) {
    const ort = await import("onnxruntime-web");
    ort.env.wasm.numThreads = threads;
    return createOrtWasmEngine(ort);
  },
  simd: ({ kernels }, sharing) => createSimdEngine(kernels, sharing),
  "ort-native": ({ threads, nativeCalls }) => createOrtNativeEngine(loadNativeRuntime(nativeCalls), threads),
  async "ort-webgpu"({ nativeCalls, maySoftwareGpu = false }, _, reports) {
    const { ort, gpu } = await loadWebGpuRuntime(nativeCalls);
    return createOrtWebGpuEngine({ loadOrt: async () => ort, gpu, maySoftware: maySoftwareGpu, ...reports });
  },
};
