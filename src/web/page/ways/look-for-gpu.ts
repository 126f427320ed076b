import type { Gpu } from "../../../engine/ort-webgpu.ts";

/** What WebGPU finds to compute on, so that nobody downloads a model in vain, or waits for minutes without knowing why. */
export async function lookForGpu(): Promise<"none" | "software" | "hardware"> {
  const { gpu } = navigator as { readonly gpu?: Gpu };
  const asked = gpu?.requestAdapter({ powerPreference: "high-performance" });
  // Some drivers make it fail instead of giving nothing.
  const adapter = await asked?.catch(() => null);
  if (!adapter) return "none";
  return adapter.info.isFallbackAdapter ? "software" : "hardware";
}
