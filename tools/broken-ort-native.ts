import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** What the package below fails with, as the real one does on a machine with another C library. */
export const brokenOrtNativeWhy =
  "--engine ort-native cannot load its package: libonnxruntime.so.1: not found";

/**
 * Writes a package onnxruntime-node that is found and cannot be loaded.
 * @param why what its loading fails with
 * @returns what NODE_PATH must be for that
 */
export async function writeBrokenOrtNative(
  folder: string,
  why = "libonnxruntime.so.1: not found",
): Promise<string> {
  const modules = join(folder, "node_modules");
  const broken = join(modules, "onnxruntime-node");
  await mkdir(broken, { recursive: true });
  await writeFile(join(broken, "package.json"), '{ "version": "0.0.0", "main": "index.js" }');
  await writeFile(join(broken, "index.js"), `throw new Error(${JSON.stringify(why)});`);
  return modules;
}
