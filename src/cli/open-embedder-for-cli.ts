import type { ModelManifest } from "../embed/model-manifest.ts";
import { type ConvertibleManifest, type ConvertibleModel, findModel } from "../node/model/model-catalog.ts";
import type { Prepared } from "../node/model/model-store.ts";
import { openEmbedder } from "../node/open-embedder.ts";
import { chooseWorkers, readMachine } from "../node/pool/default-workers.ts";
import type { QueueLimits } from "../node/pool/job-queue.ts";
import type { PoolEvent, WorkerPool } from "../node/pool/worker-pool.ts";
import type { EngineOptions, PoolOptions } from "./common-options.ts";
import { describePassedOver } from "./log-pool-event.ts";
import { completeWithProgress, prepareWithProgress } from "./prepare.ts";

/** For a command that is its own only caller and draws pictures no faster than they are embedded. */
export const unboundedQueue: QueueLimits = { maxItems: Infinity, maxBytes: Infinity };

export interface CliEmbedder {
  readonly embedder: WorkerPool;
  readonly manifest: ModelManifest;
  readonly workers: number;
  /** Why there are so many workers. */
  readonly why: string;
}

/**
 * Opens the model that a command's options name; it is prepared first if the cache has none.
 * @throws EmbedError `CONFIG_INVALID` for options that contradict each other
 */
export async function openEmbedderForCli(
  options: EngineOptions,
  queue: QueueLimits,
  onEvent: (event: PoolEvent) => void = tellEngine,
): Promise<CliEmbedder> {
  const cache = options.cache === undefined ? {} : { cacheDir: options.cache };
  const model = await findModel(options.model, options.variant, options.modelsDir);
  const manifest = await completeWithProgress(model, cache);
  const { workers, why } = options.workers
    ? { workers: options.workers, why: "--workers" }
    : chooseWorkers(readMachine());
  const embedder = openPoolForCli(manifest, workers, options, { queue, onEvent });
  return { embedder, manifest, workers, why };
}

/** What a command has of its own in a pool. */
export interface PoolHooks {
  readonly queue: QueueLimits;
  readonly onEvent: (event: PoolEvent) => void;
}

/** Brings the model into the cache that the options name. */
export function prepareForCli(
  model: ConvertibleModel,
  { cache }: Pick<PoolOptions, "cache">,
): Promise<Prepared> {
  return prepareWithProgress(model, cache === undefined ? {} : { cacheDir: cache });
}

/**
 * Opens a pool of workers for a model.
 * @throws EmbedError `CONFIG_INVALID` for options that contradict each other
 */
export function openPoolForCli(
  manifest: ConvertibleManifest,
  workers: number,
  options: PoolOptions,
  { queue, onEvent }: PoolHooks,
): WorkerPool {
  return openEmbedder({
    manifest,
    prepare: async () => (await prepareForCli(manifest, options)).file,
    workers,
    threads: options.threads,
    ...(options.gangs === "off" && { gangThreads: 1 }),
    limits: { maxPixels: options.maxPixels },
    itemTimeoutMs: options.itemTimeoutMs,
    workerMaxMemoryBytes: options.workerMaxMemoryBytes,
    queue,
    engine: options.engine,
    onEvent,
  });
}

/** Before the first picture, so that no progress bar is torn apart, unless a GPU is lost later. */
function tellEngine(event: PoolEvent): void {
  if (event.kind === "device-replaced") process.stderr.write(`portico: ${event.error.message}\n`);
  if (event.kind !== "engine-passed-over") return;
  process.stderr.write(`portico: ${describePassedOver(event)}; next: ${event.next}\n`);
}
