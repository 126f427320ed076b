import { EmbedError } from "../errors.ts";
import type { Engine, EngineSession } from "./engine.ts";
import { createOrtEngine, type OrtRuntime } from "./ort-session.ts";

/** The part of onnxruntime-web's WebGPU build that this engine uses. */
export interface OrtWebGpuRuntime extends OrtRuntime {
  readonly env: {
    readonly webgpu: {
      /** Of the sessions that live; the runtime asks for another one once the last of them is released. */
      readonly device: Promise<GpuDevice>;
    };
  };
}

/** What of a `GPUDevice` is looked at. */
export interface GpuDevice {
  readonly lost: Promise<{ readonly reason: string; readonly message: string }>;
}

/** What of a `GPU` is looked at: `navigator.gpu` of a browser, or what Dawn makes. */
export interface Gpu {
  requestAdapter(options: {
    readonly powerPreference: "high-performance";
  }): Promise<{ readonly info: GpuAdapterInfo } | null>;
}

export interface GpuAdapterInfo {
  readonly vendor: string;
  readonly architecture: string;
  readonly device: string;
  readonly description: string;
  /** Whether a processor plays the GPU, slowly. */
  readonly isFallbackAdapter: boolean;
}

export interface OrtWebGpuHost {
  /** Called once an adapter has been found that will do: in a page the runtime is many megabytes. */
  readonly loadOrt: () => Promise<OrtWebGpuRuntime>;
  /** The one that the runtime takes its device from; undefined where the host has none. */
  readonly gpu: Gpu | undefined;
  /** Whether a software adapter will do: only where this engine was asked for by its name. */
  readonly maySoftware: boolean;
  /** Told the adapter's name before a model is loaded onto it. */
  readonly onAdapter: (adapter: string) => void;
  /** The device was lost, and another one does its work from now on. */
  readonly onDeviceReplaced: (why: EmbedError) => void;
}

/**
 * onnxruntime-web on a GPU. Its vectors are right to a tolerance of their own (`engine-tolerances.ts`). A failed run is
 * taken for a lost device: once in the life of a session the model is loaded onto another device and the run is
 * repeated there. A second failure is thrown, and it is for the host to choose another engine.
 *
 * `load` throws EmbedError `CONFIG_INVALID` without an adapter that will do, and `ENGINE_FAILED` if the adapter cannot
 * take the model.
 */
export function createOrtWebGpuEngine(host: OrtWebGpuHost): Engine {
  const options = { executionProviders: ["webgpu"] };
  return {
    name: "ort-webgpu",
    async load(onnx) {
      const adapter = await nameAdapter(host);
      host.onAdapter(adapter);
      const ort = await host.loadOrt();
      const engine = createOrtEngine(ort, { name: "ort-webgpu", library: "onnxruntime-web", options });
      // Its own: whoever gave the bytes may take them back, and another device needs them again.
      const model = onnx.slice();
      const open = async () => {
        try {
          return await openOnDevice(engine, ort, model);
        } catch (cause) {
          if (cause instanceof EmbedError && cause.reason === "ENGINE_UNSUPPORTED") throw cause;
          // Not MODEL_CORRUPT: too little memory of the GPU looks the same, and there other engines may do.
          const message = `ort-webgpu cannot load this model of ${model.length} bytes onto ${adapter}`;
          throw new EmbedError("ENGINE_FAILED", message, { cause });
        }
      };
      return replaceOnce(await open(), open, host.onDeviceReplaced);
    },
  };
}

/**
 * Vendor, architecture, device and description, as far as the adapter gives them.
 * @throws EmbedError `CONFIG_INVALID` without an adapter, or with a software one that nobody asked for
 */
async function nameAdapter({ gpu, maySoftware }: OrtWebGpuHost): Promise<string> {
  // As the runtime asks: a machine may have two.
  const adapter = await gpu?.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter) {
    const message =
      "engine ort-webgpu expected a GPU with a driver for Vulkan, Metal or Direct3D 12, got none";
    throw new EmbedError("CONFIG_INVALID", message);
  }
  const { vendor, architecture, device, description, isFallbackAdapter } = adapter.info;
  const given = [vendor, architecture, device].filter((part) => part !== "").join(" ");
  const name = description === "" ? given : `${given} (${description})`;
  if (!isFallbackAdapter) return name;
  if (maySoftware) return `${name}, software`;
  const message = `expected a GPU, got the software adapter ${name}, which is used with engine ort-webgpu only`;
  throw new EmbedError("CONFIG_INVALID", message);
}

interface DeviceSession {
  readonly session: EngineSession;
  /** Why its device is gone, once it is. */
  readonly loss: () => string | undefined;
}

async function openOnDevice(
  engine: Engine,
  ort: OrtWebGpuRuntime,
  model: Uint8Array,
): Promise<DeviceSession> {
  const session = await engine.load(model);
  const device = await ort.env.webgpu.device;
  let loss: string | undefined;
  void device.lost.then(({ reason, message }) => {
    loss = message === "" ? reason : message;
  });
  return { session, loss: () => loss };
}

function replaceOnce(
  first: DeviceSession,
  open: () => Promise<DeviceSession>,
  onReplaced: OrtWebGpuHost["onDeviceReplaced"],
): EngineSession {
  let current = first;
  let isReplaced = false;

  async function replace(cause: unknown): Promise<void> {
    const lost = `ort-webgpu lost its GPU device (${current.loss() ?? "a run failed"})`;
    if (isReplaced) {
      throw new EmbedError("ENGINE_FAILED", `${lost} for the second time`, { cause });
    }
    isReplaced = true;
    try {
      // The runtime keeps its device until the last session on it is released.
      await current.session.dispose();
      current = await open();
    } catch (error) {
      throw new EmbedError("ENGINE_FAILED", `${lost} and got no other one`, { cause: error });
    }
    onReplaced(new EmbedError("ENGINE_FAILED", `${lost}; another one is in use now`, { cause }));
  }

  return {
    inputShape: first.session.inputShape,
    dimension: first.session.dimension,
    async run(tensor, batch) {
      try {
        return await current.session.run(tensor, batch);
      } catch (cause) {
        await replace(cause);
      }
      return current.session.run(tensor, batch);
    },
    dispose: () => current.session.dispose(),
  };
}
