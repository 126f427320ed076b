import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { skipFor } from "./require-tool.ts";

const folder = fileURLToPath(new URL("webgpu/node_modules", import.meta.url));

/** Where Debian's Chromium has its GPU made of software, SwiftShader, and the Vulkan loader beside it. */
const chromium = "/usr/lib/chromium";

export interface WebGpuEnv extends Readonly<Record<string, string>> {
  readonly NODE_PATH: string;
  readonly VK_ICD_FILENAMES: string;
  readonly LD_LIBRARY_PATH: string;
}

/**
 * What a process must have in its environment for `--engine ort-webgpu` to find its package and SwiftShader, or undefined:
 * the test is then skipped as `requireTool` says. The package lies in a folder of its own, or `auto` would try it in every
 * other test: `npm ci --prefix tools/webgpu --ignore-scripts`.
 */
export function requireWebGpu(): WebGpuEnv | undefined {
  if (!existsSync(`${folder}/webgpu`)) return skipFor("webgpu", "in tools/webgpu");
  const driver = `${chromium}/vk_swiftshader_icd.json`;
  if (!existsSync(driver)) return skipFor("chromium", `in ${chromium}, with SwiftShader`);
  return { NODE_PATH: folder, VK_ICD_FILENAMES: driver, LD_LIBRARY_PATH: chromium };
}
