import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Int8Ranges, parseInt8Ranges } from "../../convert/variants/int8-ranges.ts";
import {
  isComplete,
  type ModelDescription,
  type ModelManifest,
  type VariantName,
  variantNames,
} from "../../embed/model-manifest.ts";
import {
  modelNamePattern,
  parseModelDescription,
  parseModelManifest,
} from "../../embed/parse-model-manifest.ts";
import { pickVariant } from "../../embed/pick-variant.ts";
import { EmbedError } from "../../errors.ts";
import { packageFile, packageFileError } from "../package-file.ts";
import { resolveModelsDir } from "./models-folder.ts";

/** Names of the models that ship with Portico, sorted. */
export function listShippedModels(): Promise<readonly string[]> {
  return listFolders(packageFile("models"));
}

/**
 * Names of all models, those that ship with Portico and the user's own, sorted.
 * @param modelsDir folder of the user's own models; by default `resolveModelsDir()`
 */
export async function listModelNames(modelsDir?: string): Promise<readonly string[]> {
  const folders = [packageFile("models"), resolveModelsDir(modelsDir)];
  const names = await Promise.all(folders.map(listFolders));
  return [...new Set(names.flat())].sort();
}

/** Names of folders that can be those of models: what is being imported has none of this form. */
async function listFolders(folder: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries
      .filter((entry) => entry.isDirectory() && modelNamePattern.test(entry.name))
      .map((entry) => entry.name)
      .sort();
  } catch (error) {
    // Nothing was imported yet, or the folder is not this user's to read.
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR" || code === "EACCES") return [];
    throw error;
  }
}

/**
 * The manifest of a model that ships with Portico, or of one of the user's own. No own model hides one that ships.
 * @param modelsDir folder of the user's own models; by default `resolveModelsDir()`
 * @throws EmbedError `MODEL_UNKNOWN`, naming the known ones; `CONFIG_INVALID` if the manifest is broken
 */
export async function findModelDescription(name: string, modelsDir?: string): Promise<ModelDescription> {
  const shipped = await listShippedModels();
  if (shipped.includes(name)) return readManifest(packageFile("models"), name, parseModelDescription);
  const known = await listModelNames(modelsDir);
  if (!known.includes(name)) {
    throw new EmbedError("MODEL_UNKNOWN", `there is no model "${name}"; known models: ${known.join(", ")}`);
  }
  const folder = resolveModelsDir(modelsDir);
  return { ...(await readManifest(folder, name, parseModelManifest)), folder: join(folder, name) };
}

/**
 * The same of a model whose manifest says all.
 * @throws EmbedError what `findModelDescription` throws; `CONFIG_INVALID` if only the weights can tell its hash
 */
export async function findModelManifest(name: string, modelsDir?: string): Promise<ModelManifest> {
  return assertComplete(await findModelDescription(name, modelsDir));
}

function assertComplete<T extends ModelDescription>(model: T): T & ModelManifest {
  if (isComplete(model)) return model;
  throw new EmbedError(
    "CONFIG_INVALID",
    `model ${model.name}: expected a manifest with the hash of the converted file, which only preparing it finds out`,
  );
}

async function readManifest<T extends ModelDescription>(
  folder: string,
  name: string,
  parse: (json: unknown) => T,
): Promise<T> {
  const file = join(folder, name, "manifest.json");
  const manifest = parse(await readJson(file));
  if (manifest.name !== name) {
    throw new EmbedError("CONFIG_INVALID", `${file}: expected the name "${name}", got "${manifest.name}"`);
  }
  return manifest;
}

async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, "utf8"));
  } catch (cause) {
    if (file.startsWith(packageFile("models"))) throw packageFileError(file, cause);
    throw new EmbedError("CONFIG_INVALID", `${file} cannot be read: ${(cause as Error).message}`, { cause });
  }
}

/** What a conversion needs beside the manifest. */
interface Convertible {
  /** Of the variant int8. */
  readonly int8Ranges?: Int8Ranges;
  /** The folder of the files that its sources name, such as their topology. */
  readonly filesFolder?: string;
}

export type ConvertibleModel = ModelDescription & Convertible;

export type ConvertibleManifest = ModelManifest & Convertible;

/**
 * One form of a model.
 * @param modelsDir folder of the user's own models; by default `resolveModelsDir()`
 * @throws EmbedError what `findModelDescription` throws; `CONFIG_INVALID` for a variant that the model lacks;
 *   `CONVERT_INVALID` if its ranges are broken
 */
export async function findModel(
  name: string,
  variant: VariantName,
  modelsDir?: string,
): Promise<ConvertibleModel> {
  const description = await findModelDescription(name, modelsDir);
  if (!variantNames.includes(variant)) {
    throw new EmbedError("CONFIG_INVALID", `expected variant ${variantNames.join(", ")}, got "${variant}"`);
  }
  const filesFolder = join(packageFile("models"), name);
  const picked = { ...pickVariant(description, variant), filesFolder };
  if (variant !== "int8") return picked;
  const file = join(filesFolder, "int8-ranges.json");
  const { ranges } = JSON.parse(await readFile(file, "utf8")) as { readonly ranges?: unknown };
  return { ...picked, int8Ranges: parseInt8Ranges(ranges) };
}

/**
 * The same of a model whose manifest says all.
 * @throws EmbedError what `findModel` throws; `CONFIG_INVALID` if only the weights can tell its hash
 */
export async function findModelVariant(
  name: string,
  variant: VariantName,
  modelsDir?: string,
): Promise<ConvertibleManifest> {
  return assertComplete(await findModel(name, variant, modelsDir));
}
