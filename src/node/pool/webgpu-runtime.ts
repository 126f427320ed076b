import { createRequire } from "node:module";
import type { Gpu, OrtWebGpuRuntime } from "../../engine/ort-webgpu.ts";
import { EmbedError } from "../../errors.ts";
import { callNative, callNativeNow, type NativeCallState } from "./native-calls.ts";

/** An optional peer, Dawn: only who wants `ort-webgpu` installs it. The version that was tested. */
export const webGpuPackage = { name: "webgpu", version: "0.6.2" } as const;

/** Not `import`: the package is found by NODE_PATH, too. */
const require = createRequire(import.meta.url);

/** Its own script only says whether it knows this machine. */
const mend = `npm install --ignore-scripts ${webGpuPackage.name}@${webGpuPackage.version}`;

/** `package.json` of webgpu where it is installed; loads nothing. */
export function findWebGpu(): string | undefined {
  try {
    return require.resolve(`${webGpuPackage.name}/package.json`);
  } catch {
    // Not there, whatever the reason.
    return undefined;
  }
}

/** What is to be done before `ort-webgpu` can be tried; undefined if its package is installed. */
export function ortWebGpuLacks(): string | undefined {
  if (findWebGpu() !== undefined) return undefined;
  return `--engine ort-webgpu needs a package that is not installed; install it with: ${mend}`;
}

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
  const { create, globals } = callNativeNow(state, requirePackage);
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
      InferenceSession: {
        async create(model, options) {
          const session = await callNative(state, () => InferenceSession.create(model, options));
          return {
            inputMetadata: session.inputMetadata,
            outputMetadata: session.outputMetadata,
            run: (feeds) => callNative(state, () => session.run(feeds)),
            release: () => callNative(state, () => session.release()),
          };
        },
      },
    },
  };
}

interface WebGpuPackage {
  /** @param options of Dawn */
  create(options: readonly string[]): Gpu;
  /** `GPUBufferUsage` and others that a browser has as globals. */
  readonly globals: Readonly<Record<string, unknown>>;
}

function requirePackage(): WebGpuPackage {
  try {
    return require(webGpuPackage.name) as WebGpuPackage;
  } catch (cause) {
    const why = (cause as Error).message.split("\n")[0];
    throw new EmbedError("CONFIG_INVALID", `--engine ort-webgpu cannot load its package: ${why}`, { cause });
  }
}
