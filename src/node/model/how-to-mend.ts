import { access, constants } from "node:fs/promises";
import { dirname } from "node:path";
import type { ModelManifest } from "../../embed/model-manifest.ts";
import { cacheDirOf } from "./model-cache.ts";
import { importCommandLine, prepareCommandLine } from "./model-prepare-command.ts";

/**
 * What mends a model's file that is not as it should be, for the end of a message: the command that writes it again, or
 * where this process may not write, as in an image or a folder that is mounted read-only, what else helps.
 */
export async function howToMend(file: string, manifest: ModelManifest): Promise<string> {
  const isImported = manifest.folder !== undefined;
  const folder = dirname(file);
  // Both commands also write beside the folder of the file.
  const above = isImported ? dirname(folder) : cacheDirOf(file);
  const command = isImported
    ? importCommandLine(file, manifest)
    : prepareCommandLine(manifest, cacheDirOf(file), "--force");
  if (await mayWrite([folder, above])) return `mend it with: ${command}`;
  const [verb, another] = isImported
    ? ["import", "folder with --models-dir DIR or PORTICO_MODELS"]
    : ["prepare", "cache with --cache DIR or PORTICO_CACHE"];
  return `it cannot be written here: build or pull the image again, ${verb} ${manifest.name} again where its folder can be written, or choose another ${another}`;
}

function mayWrite(folders: readonly string[]): Promise<boolean> {
  return Promise.all(folders.map((folder) => access(folder, constants.W_OK))).then(
    () => true,
    () => false,
  );
}
