import { access, constants, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { Command } from "commander";
import { type ModelManifest, variantNames } from "../embed/model-manifest.ts";
import { labelOf, pickVariant } from "../embed/pick-variant.ts";
import { EmbedError } from "../errors.ts";
import { modelFile, resolveCacheDir } from "../node/model/model-cache.ts";
import { findModel, findModelDescription, listModelNames } from "../node/model/model-catalog.ts";
import { findCompleteManifest } from "../node/model/model-store.ts";
import { readModel } from "../node/model/read-model.ts";
import { readVectorGolden } from "../node/model/vector-golden.ts";
import type { PoolEvent } from "../node/pool/worker-pool.ts";
import { addEngineOptions, type EngineOptions } from "./common-options.ts";
import type { Finding } from "./doctor-report.ts";
import { describePassedOver } from "./log-pool-event.ts";
import { openEmbedderForCli, unboundedQueue } from "./open-embedder-for-cli.ts";

type ModelFolders = Pick<EngineOptions, "model" | "cache" | "modelsDir">;

/**
 * The cache, and each model that lies in it; hashes are checked, nothing is fetched or written. Those that do not lie there share
 * a line, but for the one that is asked for.
 */
export async function describeModels({ model: asked, cache, modelsDir }: ModelFolders): Promise<Finding[]> {
  const cacheDir = resolveCacheDir(cache);
  const names = await listModelNames(modelsDir);
  const models = await Promise.all(
    names.map(async (name): Promise<Finding[]> => {
      try {
        const model = await findModel(name, "fp32", modelsDir);
        const manifest = await findCompleteManifest(model, cacheDir);
        return manifest ? await checkForms(cacheDir, manifest) : [notPrepared(name)];
      } catch (error) {
        return [{ name: `model ${name}`, state: "failed", value: EmbedError.from(error).message }];
      }
    }),
  );
  const findings = models.flat();
  const isAbsent = ({ name, state }: Finding) => state === "unchecked" && name !== `model ${asked}`;
  const absent = findings.filter(isAbsent).map(({ name }) => name.replace(/^model /, ""));
  const others: Finding = {
    name: "models that are not prepared",
    state: "info",
    value: `${absent.join(", ")}; portico prepare NAME fetches one`,
  };
  return [
    await checkCache(cacheDir),
    ...findings.filter((finding) => !isAbsent(finding)),
    ...(absent.length > 0 ? [others] : []),
  ];
}

async function checkCache(cacheDir: string): Promise<Finding> {
  const folder = await nearestFolder(cacheDir);
  const name = "cache";
  try {
    await access(folder, constants.W_OK);
    return { name, state: "ok", value: folder === cacheDir ? cacheDir : `${cacheDir} (not made yet)` };
  } catch {
    // A read-only cache with the model in it is how containers are run.
    return { name, state: "info", value: `${cacheDir}, which cannot be written (${folder})` };
  }
}

/** The folder itself, or the nearest one above it that exists. */
async function nearestFolder(folder: string): Promise<string> {
  const exists = await stat(folder).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
  return exists || dirname(folder) === folder ? folder : nearestFolder(dirname(folder));
}

/** The model itself, and those of its variants that were prepared. */
async function checkForms(cacheDir: string, manifest: ModelManifest): Promise<Finding[]> {
  const findings = [await checkModel(cacheDir, manifest)];
  for (const name of variantNames) {
    if (!manifest.variants || !Object.hasOwn(manifest.variants, name)) continue;
    const variant = pickVariant(manifest, name);
    if (await isPrepared(modelFile(cacheDir, variant))) findings.push(await checkModel(cacheDir, variant));
  }
  return findings;
}

async function checkModel(cacheDir: string, manifest: ModelManifest): Promise<Finding> {
  const name = `model ${labelOf(manifest)}`;
  const file = modelFile(cacheDir, manifest);
  if (!(await isPrepared(file))) {
    if (manifest.folder !== undefined) return { name, state: "failed", value: `${file} is not there` };
    return notPrepared(labelOf(manifest));
  }
  try {
    await readModel(file, manifest);
    return { name, state: "ok", value: `sha256 ${manifest.onnx.sha256} as it should be, ${file}` };
  } catch (error) {
    return { name, state: "failed", value: EmbedError.from(error).message };
  }
}

function notPrepared(label: string): Finding {
  const value = `not prepared; portico prepare ${label} fetches it`;
  return { name: `model ${label}`, state: "unchecked", value };
}

function isPrepared(file: string): Promise<boolean> {
  return stat(file).then(
    (stats) => stats.isFile(),
    () => false,
  );
}

export type SelfCheckOptions = Pick<EngineOptions, "model" | "variant" | "engine" | "cache" | "modelsDir">;

/** What every command has by default, but one worker: a second would show nothing more. */
function withDefaults(options: SelfCheckOptions): EngineOptions {
  const defaults = addEngineOptions(new Command()).parse([], { from: "user" }).opts<EngineOptions>();
  return { ...defaults, ...options, workers: 1 };
}

/** The photograph whose vector is asked for a second time, warm. */
const timedImage = "photo/locomotion-house-cat.jpg";

/**
 * Makes one vector as a server would and compares it with Keras's; not where the model is not as it should be,
 * since opening it would then fetch it.
 */
export async function selfCheck(options: SelfCheckOptions, models: readonly Finding[]): Promise<Finding> {
  const name = "self-check";
  const label = labelOf(
    pickVariant(await findModelDescription(options.model, options.modelsDir), options.variant),
  );
  const found = models.find((finding) => finding.name === `model ${label}`)?.state;
  if (found !== "ok") {
    const what = found === "failed" ? "there but cannot be used, so it is not run" : "not there to be run";
    return { name, state: "unchecked", value: `the model ${label} is ${what}` };
  }
  let ready: Extract<PoolEvent, { kind: "worker-ready" }> | undefined;
  const passedOver: string[] = [];
  const { embedder } = await openEmbedderForCli(withDefaults(options), unboundedQueue, (event) => {
    if (event.kind === "engine-passed-over") passedOver.push(`; ${describePassedOver(event)}`);
    if (event.kind === "worker-ready") ready = event;
  });
  try {
    await embedder.ready;
    const { bytes } = await readVectorGolden(timedImage);
    const start = performance.now();
    const result = await embedder.embed(bytes);
    const ms = performance.now() - start;
    if (!result.ok) throw result.error;
    const started = `started in ${Math.round(ready?.startMs ?? 0)} ms`;
    const engine = ready?.adapter ? `${ready.engine}, ${ready.adapter}` : ready?.engine;
    const error = ready?.maxAbsError?.toExponential(2) ?? "not known";
    const value = `${label} on ${engine}: max abs error ${error}, ${started}, one picture in ${Math.round(ms)} ms${passedOver.join("")}`;
    return { name, state: "ok", value };
  } catch (error) {
    const { reason, message, cause } = EmbedError.from(error);
    const why = reason === "INTERNAL" && cause !== undefined ? `: ${String(cause)}` : "";
    return { name, state: "failed", value: `${reason}: ${message}${why}` };
  } finally {
    await embedder.dispose();
  }
}
