import type { Gpu } from "../../../engine/ort-webgpu.ts";

/** Whether WebGPU finds anything to compute on, so that nobody downloads a model in vain. */
export async function hasGpu(): Promise<boolean> {
  const { gpu } = navigator as { readonly gpu?: Gpu };
  const asked = gpu?.requestAdapter({ powerPreference: "high-performance" });
  // Some drivers make it fail instead of giving nothing.
  const adapter = await asked?.catch(() => null);
  return adapter !== null && adapter !== undefined;
}
