import type { Engine, EngineName } from "../engine/engine.ts";
import { createOrtWasmEngine } from "../engine/ort-wasm.ts";
import { createSimdEngine } from "../engine/simd/simd-engine.ts";
import type { WorkerSetup } from "./worker-messages.ts";

/** The engines that a browser has, fastest first: the order in which `auto` tries them. */
export const webEngineNames = ["simd", "ort-wasm"] as const satisfies readonly EngineName[];

export type WebEngineName = (typeof webEngineNames)[number];

/** Each engine with the runtime that a Web Worker has for it, which is fetched for those that need it only. */
export const webEngines: Readonly<Record<WebEngineName, (setup: WorkerSetup) => Engine | Promise<Engine>>> = {
  simd: ({ kernels }) => createSimdEngine(kernels as WebAssembly.Module),
  async "ort-wasm"({ ort, threads }) {
    // Bundlers are to leave it alone: the file goes beside this one as it is.
    const runtime = (await import(
      /* webpackIgnore: true */ /* @vite-ignore */ ort.module
    )) as typeof import("onnxruntime-web/wasm");
    runtime.env.wasm.numThreads = threads;
    runtime.env.wasm.wasmPaths = { wasm: ort.wasm };
    return createOrtWasmEngine(runtime);
  },
};
