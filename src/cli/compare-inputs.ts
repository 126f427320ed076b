import { stat } from "node:fs/promises";
import { relative, resolve } from "node:path";
import { variantNames } from "../embed/model-manifest.ts";
import { EmbedError } from "../errors.ts";
import type { ModelChoice } from "./compare-models.ts";
import { type EmbedSource, listSources } from "./embed-sources.ts";

/** More do not fit side by side. */
const mostModels = 4;

/**
 * What `--models` names.
 * @throws EmbedError `CONFIG_INVALID`
 */
export function parseModels(texts: readonly string[]): ModelChoice[] {
  const choices = texts.map((text): ModelChoice => {
    const [, model = "", variant = "fp32"] = /^([^:]+)(?::(.+))?$/.exec(text) ?? [];
    const known = variantNames.find((name) => name === variant);
    if (model !== "" && known !== undefined) return { model, variant: known };
    throw new EmbedError(
      "CONFIG_INVALID",
      `--models: expected NAME or NAME:VARIANT (${variantNames.join(", ")}), got "${text}"`,
    );
  });
  const different = new Set(choices.map(({ model, variant }) => `${model}:${variant}`));
  if (choices.length >= 2 && choices.length <= mostModels && different.size === choices.length)
    return choices;
  throw new EmbedError(
    "CONFIG_INVALID",
    `--models: expected 2 to ${mostModels} different models, got "${texts.join(",")}"`,
  );
}

/**
 * The files of a folder and below it, sorted by path, under their names in that folder.
 * @param out the page that is about to be written: an older one there is no picture
 * @throws EmbedError `CONFIG_INVALID` for no folder, none in it, or more than `maxPictures`
 */
export async function listPictures(dir: string, maxPictures: number, out: string): Promise<EmbedSource[]> {
  const isFolder = await stat(dir).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isFolder) throw new EmbedError("CONFIG_INVALID", `--dir: expected a folder, got "${dir}"`);
  const noUrls = () => Promise.reject(new EmbedError("INTERNAL", "a folder holds no URLs"));
  const files = await listSources([dir], noUrls);
  const sources = files.filter(({ name }) => resolve(name) !== resolve(out));
  if (sources.length === 0) {
    throw new EmbedError("CONFIG_INVALID", `--dir: expected at least one picture, found none in ${dir}`);
  }
  if (sources.length > maxPictures) {
    throw new EmbedError(
      "CONFIG_INVALID",
      `--dir: expected at most ${maxPictures} pictures (--max-pictures), found ${sources.length} in ${dir}`,
    );
  }
  return sources.map(({ name, read }) => ({ name: relative(dir, name), read }));
}
