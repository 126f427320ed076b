import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { ModelManifest } from "../../embed/model-manifest.ts";
import { parseModelManifest } from "../../embed/parse-model-manifest.ts";
import { EmbedError } from "../../errors.ts";
import { packageFile } from "../package-file.ts";

/** Names of the models that ship with Portico, sorted. */
export async function listModelNames(): Promise<readonly string[]> {
  const entries = await readdir(packageFile("models"), { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
}

/**
 * The manifest of a model that ships with Portico.
 * @throws EmbedError `MODEL_UNKNOWN`, naming the known ones; `CONFIG_INVALID` if the manifest is broken
 */
export async function findModelManifest(name: string): Promise<ModelManifest> {
  const known = await listModelNames();
  if (!known.includes(name)) {
    throw new EmbedError("MODEL_UNKNOWN", `there is no model "${name}"; known models: ${known.join(", ")}`);
  }
  const file = join(packageFile("models"), name, "manifest.json");
  const manifest = parseModelManifest(JSON.parse(await readFile(file, "utf8")));
  if (manifest.name !== name) {
    throw new EmbedError("CONFIG_INVALID", `${file}: expected the name "${name}", got "${manifest.name}"`);
  }
  return manifest;
}
