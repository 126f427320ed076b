import { describe, expect, test } from "vitest";
import { createOrtWebGpuEngine, type Gpu, type GpuAdapterInfo, type OrtWebGpuRuntime } from "./ort-webgpu.ts";

/** The runtime itself, and the loss of a device: src/node/pool/ort-webgpu.spec.ts. */

const software: GpuAdapterInfo = {
  vendor: "google",
  architecture: "swiftshader",
  device: "",
  description: "SwiftShader driver 5.0.0",
  isFallbackAdapter: true,
};
const real: GpuAdapterInfo = {
  ...{ vendor: "nvidia", architecture: "hopper", device: "h100", description: "" },
  isFallbackAdapter: false,
};

/** Refuses every model. */
const ort = {
  InferenceSession: { create: () => Promise.reject(new Error("no memory")) },
} as unknown as OrtWebGpuRuntime;

async function load(
  gpu: Gpu | undefined,
  maySoftware: boolean,
): Promise<{ adapters: string[]; error: unknown }> {
  const adapters: string[] = [];
  const engine = createOrtWebGpuEngine({
    ...{ gpu, maySoftware, loadOrt: async () => ort },
    onAdapter: (adapter) => adapters.push(adapter),
    onDeviceReplaced: () => undefined,
  });
  const error = await engine.load(new Uint8Array(64)).catch((cause: unknown) => cause);
  return { adapters, error };
}

const having = (info: GpuAdapterInfo | undefined): Gpu => ({
  requestAdapter: async () => (info ? { info } : null),
});

const noGpu = "engine ort-webgpu expected a GPU with a driver for Vulkan, Metal or Direct3D 12, got none";
const softwareName = "google swiftshader (SwiftShader driver 5.0.0)";

describe("the adapter", () => {
  test.each<[string, Gpu | undefined, boolean, string]>([
    ["a host without WebGPU", undefined, true, noGpu],
    ["no adapter", having(undefined), true, noGpu],
    [
      "a software adapter that nobody asked for",
      having(software),
      false,
      `expected a GPU, got the software adapter ${softwareName}, which is used with engine ort-webgpu only`,
    ],
  ])("%s is refused before anything is loaded", async (_, gpu, maySoftware, message) => {
    const { adapters, error } = await load(gpu, maySoftware);
    expect(error).toMatchObject({ reason: "CONFIG_INVALID", message });
    expect(adapters).toEqual([]);
  });

  test.each<[GpuAdapterInfo, boolean, string]>([
    [real, false, "nvidia hopper h100"],
    [software, true, `${softwareName}, software`],
  ])("%o, software allowed: %s, is taken and named", async (info, maySoftware, name) => {
    const { adapters, error } = await load(having(info), maySoftware);
    expect(adapters).toEqual([name]);
    // So that `auto` goes on: a GPU without enough memory looks like this.
    expect(error).toMatchObject({
      reason: "ENGINE_FAILED",
      message: `ort-webgpu cannot load this model of 64 bytes onto ${name}`,
    });
  });
});
