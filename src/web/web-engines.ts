import type { Engine, EngineName } from "../engine/engine.ts";
import { createOrtWasmEngine } from "../engine/ort-wasm.ts";
import {
  createOrtWebGpuEngine,
  type Gpu,
  type OrtWebGpuHost,
  type OrtWebGpuRuntime,
} from "../engine/ort-webgpu.ts";
import { createSimdEngine } from "../engine/simd/simd-engine.ts";
import { EmbedError } from "../errors.ts";
import type { OrtFiles, WorkerSetup } from "./worker-messages.ts";

/** The engines that a browser has. */
export const webEngineNames = ["ort-webgpu", "simd", "ort-wasm"] as const satisfies readonly EngineName[];

export type WebEngineName = (typeof webEngineNames)[number];

/** What the engine `ort-webgpu` tells of its GPU. */
export type GpuReports = Pick<OrtWebGpuHost, "onAdapter" | "onDeviceReplaced">;

type OpenEngine = (setup: WorkerSetup, reports: GpuReports) => Engine | Promise<Engine>;

/** Each engine with the runtime that a Web Worker has for it, which is fetched for those that need it only. */
export const webEngines: Readonly<Record<WebEngineName, OpenEngine>> = {
  "ort-webgpu"({ ortWebGpu, maySoftwareGpu: maySoftware }, reports) {
    const { gpu } = navigator as { readonly gpu?: Gpu };
    if (!gpu) {
      const message = "engine ort-webgpu expected a browser with WebGPU (navigator.gpu), got one without";
      throw new EmbedError("CONFIG_INVALID", message);
    }
    const loadOrt = async () => {
      const { env, ...runtime } = await importOrt(ortWebGpu, 1);
      // It warns of the few operators that stay on the processor.
      env.logLevel = "error";
      return { ...runtime, env: env as unknown as OrtWebGpuRuntime["env"] };
    };
    return createOrtWebGpuEngine({ loadOrt, gpu, maySoftware, ...reports });
  },
  simd: ({ kernels }) => createSimdEngine(kernels as WebAssembly.Module),
  "ort-wasm": async ({ ortWasm, threads }) => createOrtWasmEngine(await importOrt(ortWasm, threads)),
};

async function importOrt({ module, wasm }: OrtFiles, threads: number) {
  // Bundlers are to leave it alone: the file goes beside this one as it is.
  const { env, InferenceSession, Tensor } = (await import(
    /* webpackIgnore: true */ /* @vite-ignore */ module
  )) as typeof import("onnxruntime-web");
  env.wasm.numThreads = threads;
  env.wasm.wasmPaths = { wasm };
  return { env, InferenceSession, Tensor };
}
