import { copyFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ModelManifest } from "../../src/embed/model-manifest.ts";
import { importedModelFile } from "../../src/node/model/model-cache.ts";

/**
 * Writes a model as one that was imported into `--models-dir`, but without vectors.
 * @param onnx path of its file, or what that holds
 * @returns its folder
 */
export async function writeModelFolder(
  modelsDir: string,
  manifest: ModelManifest,
  onnx: string | Uint8Array,
): Promise<string> {
  const folder = join(modelsDir, manifest.name);
  const { variants: _, ...one } = manifest;
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "manifest.json"), JSON.stringify(one));
  const file = join(folder, importedModelFile);
  if (typeof onnx === "string") await copyFile(onnx, file);
  else await writeFile(file, onnx);
  return folder;
}
