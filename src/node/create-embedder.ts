import { createImageEmbedder, type ImageEmbedder } from "../embed/image-embedder.ts";
import type { VariantName } from "../embed/model-manifest.ts";
import { settleBefore } from "../embed/settle-before.ts";
import { type EngineChoice, type EngineName, engineChoices } from "../engine/engine.ts";
import { EmbedError } from "../errors.ts";
import { defaultImageLimits } from "../image/pixels.ts";
import { findModel } from "./model/model-catalog.ts";
import { completeManifest, type PrepareEvent, prepareModel } from "./model/model-store.ts";
import { openEmbedder } from "./open-embedder.ts";
import { chooseWorkers, readMachine } from "./pool/default-workers.ts";

export interface CreateEmbedderOptions {
  /** A model that ships with Portico, or one that `portico import` made. Default: `resnet50`. */
  readonly model?: string;
  /** Form of the model, each a vector space of its own. Default: `fp32`, whose vectors are those of Keras. */
  readonly variant?: VariantName;
  /** What computes. Default: `auto`, the fastest that works here. */
  readonly engine?: EngineChoice;
  /** Worker threads, each with one picture at a time; for a GPU they only decode. Default: the cores, at most 4, as far as memory holds. */
  readonly workers?: number;
  /** Threads of the engine inside each worker; `simd` has 1. Default: 1, which gives the most pictures a second. */
  readonly threads?: number;
  /** Largest width x height of a picture that is decoded. Default: 50 megapixels. */
  readonly maxPixels?: number;
  /** Folder of prepared models. Default: `PORTICO_CACHE`, else `portico` in the system's cache folder. */
  readonly cacheDir?: string;
  /** Folder of imported models. Default: `PORTICO_MODELS`, else `portico/models` in the system's folder of a user's data. */
  readonly modelsDir?: string;
  /** The weights, brought by hand, or the URL of a mirror. Default: looked for in the cache, then fetched. */
  readonly from?: string;
  /** Told what is fetched and converted, which happens once for each model and cache. */
  readonly onProgress?: (event: PrepareEvent) => void;
  /** Stops the opening. */
  readonly signal?: AbortSignal;
}

/**
 * Opens a model in this process: over a pool of worker threads, each of which has embedded a known photograph as Keras
 * does before it takes work. The first time the weights are fetched (95 MB for ResNet50) and converted. The threads keep
 * the process alive until `dispose`.
 * @throws EmbedError `CONFIG_INVALID`, `MODEL_UNKNOWN`, `MODEL_UNREACHABLE`, `MODEL_CORRUPT`, `ENGINE_UNSUPPORTED`,
 *   `ENGINE_FAILED`, `VECTOR_DRIFT`, or `CANCELLED` or `DEADLINE_EXCEEDED` by the signal
 */
export async function createEmbedder(options: CreateEmbedderOptions = {}): Promise<ImageEmbedder> {
  const { model = "resnet50", variant = "fp32", engine = "auto", signal } = options;
  const { cacheDir, from, onProgress } = options;
  if (!engineChoices.includes(engine)) {
    throw new EmbedError("CONFIG_INVALID", `expected engine ${engineChoices.join(", ")}, got "${engine}"`);
  }
  const workers = options.workers ?? chooseWorkers(readMachine()).workers;
  const threads = options.threads ?? 1;
  const { maxPixels = defaultImageLimits.maxPixels } = options;
  for (const [name, value] of Object.entries({ workers, threads, maxPixels })) {
    if (Number.isSafeInteger(value) && value > 0) continue;
    throw new EmbedError("CONFIG_INVALID", `expected ${name} to be a whole number from 1, got ${value}`);
  }
  const prepareOptions = {
    ...(cacheDir !== undefined && { cacheDir }),
    ...(from !== undefined && { from }),
    ...(onProgress && { onProgress }),
    ...(signal && { signal }),
  };
  const manifest = await completeManifest(await findModel(model, variant, options.modelsDir), prepareOptions);
  let adapter: string | undefined;
  const pool = openEmbedder({
    manifest,
    prepare: () => prepareModel(manifest, prepareOptions),
    engine,
    workers,
    threads,
    limits: { maxPixels },
    // The program is its own only caller: it knows how many pictures it hands over.
    queue: { maxItems: Infinity, maxBytes: Infinity },
    onEvent(event) {
      if (event.kind === "worker-ready") adapter = event.adapter;
    },
  });
  try {
    await settleBefore(pool.ready, signal);
  } catch (error) {
    await pool.dispose();
    throw error;
  }
  return createImageEmbedder(pool, manifest, () => ({ engine: pool.engine() as EngineName, adapter }));
}
