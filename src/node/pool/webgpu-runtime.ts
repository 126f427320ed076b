import type { Gpu, OrtWebGpuRuntime } from "../../engine/ort-webgpu.ts";
import { type EnginePackage, requireEnginePackage } from "./engine-package.ts";
import { callNativeNow, type NativeCallState } from "./native-calls.ts";
import { guardSessions } from "./native-session.ts";

/** Dawn. Its own script only says whether it knows this machine. */
export const webGpuPackage = {
  engine: "ort-webgpu",
  name: "webgpu",
  version: "0.6.2",
} as const satisfies EnginePackage;

export interface WebGpuRuntime {
  readonly ort: OrtWebGpuRuntime;
  readonly gpu: Gpu;
}

/**
 * Dawn and the WebGPU build of onnxruntime-web for one worker, which must have a thread of its own: both keep what they need in
 * its globals. The thread is not ended while they work.
 * @throws EmbedError `CONFIG_INVALID` if Dawn cannot be loaded: this machine has another processor or C library
 */
export async function loadWebGpuRuntime(state: NativeCallState): Promise<WebGpuRuntime> {
  const { create, globals } = callNativeNow(state, () => requireEnginePackage<WebGpuPackage>(webGpuPackage));
  Object.assign(globalThis, globals);
  const gpu = callNativeNow(state, () => create([]));
  Object.defineProperty(navigator, "gpu", { value: gpu, configurable: true });
  const { env, InferenceSession, Tensor } = await import("onnxruntime-web/webgpu");
  // Of the few operators that stay on the processor.
  env.wasm.numThreads = 1;
  // It warns of those operators, on stderr.
  env.logLevel = "error";
  return {
    gpu,
    ort: {
      env: env as unknown as OrtWebGpuRuntime["env"],
      Tensor,
      InferenceSession: guardSessions(state, InferenceSession),
    },
  };
}

interface WebGpuPackage {
  /** @param options of Dawn */
  create(options: readonly string[]): Gpu;
  /** `GPUBufferUsage` and others that a browser has as globals. */
  readonly globals: Readonly<Record<string, unknown>>;
}
