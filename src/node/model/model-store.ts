import { rename, rm, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { isComplete, type ModelManifest, type WeightsSource } from "../../embed/model-manifest.ts";
import { labelOf } from "../../embed/pick-variant.ts";
import { EmbedError } from "../../errors.ts";
import { makeFolder } from "../make-folder.ts";
import { statIfThere } from "../stat-if-there.ts";
import { bringWeights } from "./bring-weights.ts";
import { convertInThread } from "./convert-in-thread.ts";
import { howToMend } from "./how-to-mend.ts";
import { isThere } from "./is-there.ts";
import { downloadFolder, modelFile, nameSource, resolveCacheDir } from "./model-cache.ts";
import type { ConvertibleManifest, ConvertibleModel } from "./model-catalog.ts";
import type { ConvertJob } from "./model-convert.ts";
import { withLock } from "./model-lock.ts";
import { removeLeftovers, temporaryPath } from "./model-temporary-file.ts";
import { checkRecord, type PreparedRecord, readRecord, recordFile, recordText } from "./prepared-record.ts";

/** What `prepareModel` is about to do, for a progress bar or a log. */
export type PrepareEvent =
  | { readonly kind: "waiting"; readonly pid: number; readonly host: string }
  | { readonly kind: "restarting"; readonly lostBytes: number }
  | { readonly kind: "by-hand"; readonly file: string }
  | { readonly kind: "downloading"; readonly source: WeightsSource; readonly receivedBytes: number }
  /** A source could not be reached; the next one is tried. */
  | { readonly kind: "unreachable"; readonly message: string }
  | { readonly kind: "converting" };

export interface PrepareOptions {
  /** Folder of prepared models; by default `resolveCacheDir()`. */
  readonly cacheDir?: string;
  /**
   * A file of weights that was brought by hand, or the URL of a mirror that has one; by default it is looked for in the
   * cache, then fetched.
   */
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
export async function prepareModel(model: ConvertibleModel, options: PrepareOptions = {}): Promise<string> {
  const { file } = await prepareAndTell(model, options);
  return file;
}

/**
 * The manifest of a model with all facts: those that the manifest has, else those that an earlier preparing found out;
 * if there was none the model is prepared now.
 * @throws what `prepareModel` throws
 */
export async function completeManifest(
  model: ConvertibleModel,
  options: PrepareOptions = {},
): Promise<ConvertibleManifest> {
  if (isComplete(model)) return model;
  const known = await withFacts(resolveCache(options), model);
  return known && !options.force ? known.manifest : (await prepareAndTell(model, options)).manifest;
}

/** The same without preparing: undefined if there are facts that nobody has found out yet. */
export async function findCompleteManifest(
  model: ConvertibleModel,
  cacheDir?: string,
): Promise<ConvertibleManifest | undefined> {
  const known = await withFacts(resolveCache({ ...(cacheDir !== undefined && { cacheDir }) }), model);
  return known?.manifest;
}

/** A model that lies in the cache. */
export interface Prepared {
  /** The path of the ONNX file. */
  readonly file: string;
  readonly manifest: ConvertibleManifest;
  /** What was found out about the weights, where the manifest does not know it. */
  readonly record?: PreparedRecord | undefined;
}

/** As `prepareModel`; also tells what is known of the model then. */
export async function prepareAndTell(
  model: ConvertibleModel,
  options: PrepareOptions = {},
): Promise<Prepared> {
  const cacheDir = resolveCache(options);
  if (isComplete(model) && model.folder !== undefined) {
    const file = modelFile(cacheDir, model);
    return { file: await importedModel(file, model), manifest: model };
  }
  try {
    const there = options.force ? undefined : await findPrepared(cacheDir, model);
    if (there) return there;
    await makeFolder(downloadFolder(cacheDir));
    // One lock for the whole cache: two models may come from one tarball.
    const lock = join(cacheDir, "prepare.lock");
    const onWait = (owner: { pid: number; host: string }) =>
      options.onProgress?.({ kind: "waiting", ...owner });
    return await withLock(lock, { onWait, ...(options.signal && { signal: options.signal }) }, async () => {
      // Whoever held the lock before may have made it.
      const made = options.force ? undefined : await findPrepared(cacheDir, model);
      return made ?? (await makeModel(cacheDir, model, options));
    });
  } catch (error) {
    throw await toPrepareError(error, cacheDir, model, options);
  }
}

function resolveCache({ cacheDir }: PrepareOptions): string {
  return cacheDir === undefined ? resolveCacheDir() : resolve(cacheDir);
}

async function findPrepared(cacheDir: string, model: ConvertibleModel): Promise<Prepared | undefined> {
  const known = await withFacts(cacheDir, model);
  if (!known) return undefined;
  const file = modelFile(cacheDir, known.manifest);
  return (await isThere(file, known.manifest.onnx.bytes)) ? { file, ...known } : undefined;
}

async function withFacts(
  cacheDir: string,
  model: ConvertibleModel,
): Promise<Omit<Prepared, "file"> | undefined> {
  if (isComplete(model)) return { manifest: model };
  const record = await readRecord(await recordFile(cacheDir, model));
  if (!record) return undefined;
  return { manifest: { ...model, onnx: record.onnx, fingerprint: record.fingerprint }, record };
}

/** An imported model is there or it is not: nothing of it can be fetched. */
async function importedModel(file: string, manifest: ModelManifest): Promise<string> {
  if (await isThere(file, manifest.onnx.bytes)) return file;
  throw new EmbedError(
    "MODEL_UNREACHABLE",
    `${file}: expected the ${manifest.onnx.bytes} bytes of the imported model ${manifest.name}; ${await howToMend(file, manifest)}`,
  );
}

async function makeModel(
  cacheDir: string,
  model: ConvertibleModel,
  options: PrepareOptions,
): Promise<Prepared> {
  const record = await recordFile(cacheDir, model);
  const before = await readRecord(record);
  const weights = await bringWeights(cacheDir, model, options);
  options.signal?.throwIfAborted();
  options.onProgress?.({ kind: "converting" });
  const job: ConvertJob = { file: weights.file, source: weights.source, model };
  const { bytes, onnx, fingerprint } = await convertInThread(job, {
    ...(options.signal && { signal: options.signal }),
  });
  const { bytes: weightsBytes, sha256 } = weights;
  const from = weights.isOurs ? nameSource(weights.source) : weights.file;
  const now = { weights: { from, bytes: weightsBytes, sha256 }, onnx, fingerprint };
  if (before) checkRecord(record, labelOf(model), before, now);
  const manifest = { ...model, onnx, fingerprint };
  const file = modelFile(cacheDir, manifest);
  await makeFolder(dirname(file));
  await removeLeftovers(file);
  await writeWhole(file, bytes);
  // Last: who finds the record finds the model.
  const isRecorded = before !== undefined || !isComplete(model);
  if (isRecorded) await writeWhole(record, recordText(now));
  if (weights.isOurs) await rm(weights.file, { force: true });
  return { file, manifest, record: isRecorded ? now : undefined };
}

/** Whoever looks at `file` sees the whole of it or nothing. */
async function writeWhole(file: string, bytes: Uint8Array | string): Promise<void> {
  const partial = temporaryPath(file);
  try {
    await writeFile(partial, bytes);
    await rename(partial, file);
  } finally {
    await rm(partial, { force: true });
  }
}

async function toPrepareError(
  error: unknown,
  cacheDir: string,
  model: ConvertibleModel,
  { signal, force }: PrepareOptions,
): Promise<EmbedError> {
  if (error instanceof EmbedError) return error;
  if (signal?.aborted) {
    return new EmbedError("CANCELLED", "preparing was stopped; the next run starts again", { cause: error });
  }
  const { code, syscall, path } = error as NodeJS.ErrnoException;
  // Only the file system is left: npm's errors and the converter's are EmbedErrors by now.
  if (syscall === undefined) return EmbedError.from(error);
  const why = force ? "" : await describeMissing(cacheDir, model);
  return new EmbedError(
    "CONFIG_INVALID",
    `the cache folder ${cacheDir} cannot be used${why}: ${code} at ${syscall}${path === undefined ? "" : ` ${path}`}; choose another with --cache DIR or PORTICO_CACHE, or an image that has the model`,
    { cause: error },
  );
}

/** What a folder lacks that cannot be written: with the model in it nobody would want to. */
async function describeMissing(cacheDir: string, model: ConvertibleModel): Promise<string> {
  const label = labelOf(model);
  if (!isComplete(model)) return ` to prepare ${label}, which it may lack`;
  const file = modelFile(cacheDir, model);
  try {
    const stats = await statIfThere(file);
    if (stats === undefined) return ` to prepare ${label}, which it lacks`;
    const got = stats.isFile() ? `${stats.size}` : "none, since it is no file";
    return ` to prepare ${label} again, where ${file} should have ${model.onnx.bytes} bytes and has ${got}`;
  } catch {
    // The caller's error says why nobody may look.
    return "";
  }
}
