import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Int8Ranges, parseInt8Ranges } from "../../convert/variants/int8-ranges.ts";
import { type ModelManifest, type VariantName, variantNames } from "../../embed/model-manifest.ts";
import { parseModelManifest } from "../../embed/parse-model-manifest.ts";
import { pickVariant } from "../../embed/pick-variant.ts";
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

/** A manifest with what a conversion needs beside it. */
export interface ConvertibleManifest extends ModelManifest {
  /** Of the variant int8. */
  readonly int8Ranges?: Int8Ranges;
}

/**
 * One form of a model that ships with Portico.
 * @throws EmbedError what `findModelManifest` throws; `CONFIG_INVALID` for a variant that the model lacks; `CONVERT_INVALID` if
 *   its ranges are broken
 */
export async function findModelVariant(name: string, variant: VariantName): Promise<ConvertibleManifest> {
  const manifest = await findModelManifest(name);
  if (!variantNames.includes(variant)) {
    throw new EmbedError("CONFIG_INVALID", `expected variant ${variantNames.join(", ")}, got "${variant}"`);
  }
  const picked = pickVariant(manifest, variant);
  if (variant !== "int8") return picked;
  const file = join(packageFile("models"), name, "int8-ranges.json");
  const { ranges } = JSON.parse(await readFile(file, "utf8")) as { readonly ranges?: unknown };
  return { ...picked, int8Ranges: parseInt8Ranges(ranges) };
}
