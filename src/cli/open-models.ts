import { isComplete, type ModelDescription, type ModelManifest } from "../embed/model-manifest.ts";
import { EmbedError } from "../errors.ts";
import { findModel } from "../node/model/model-catalog.ts";
import { findCompleteManifest } from "../node/model/model-store.ts";
import { resolveModelsDir } from "../node/model/models-folder.ts";
import type { Log } from "../node/observe/log.ts";
import { listEnginesHere } from "../node/open-embedder.ts";
import { chooseWorkers, modelBytesOf, processBytes, readMachine } from "../node/pool/default-workers.ts";
import type { PoolEvent, WorkerPool } from "../node/pool/worker-pool.ts";
import { type ModelsOnServer, type ModelToServe, serveModels } from "../node/serving/serve-models.ts";
import { toQueueLimits } from "./load-options.ts";
import { logLoadEvent } from "./log-load-event.ts";
import { logPoolEvent } from "./log-pool-event.ts";
import { type ModelChoice, toModelChoices } from "./model-options.ts";
import { openPoolForCli, type PoolHooks, prepareForCli } from "./open-embedder-for-cli.ts";
import { packageVersion } from "./package-version.ts";
import type { ServeOptions } from "./serve-options.ts";

/** A model that was found by its name. */
export interface FoundModel {
  /** As far as it is known before somebody has seen its weights. */
  readonly description: ModelDescription;
  /** Brings its file into the cache, and gives all that is known then. */
  readonly prepare: () => Promise<ModelManifest>;
  readonly open: (manifest: ModelManifest, workers: number, hooks: PoolHooks) => WorkerPool;
}

/** Where models are found. @throws EmbedError `CONFIG_INVALID`, `MODEL_UNKNOWN` */
export type FindModelToServe = (choice: ModelChoice, options: ServeOptions) => Promise<FoundModel>;

const findInCatalog: FindModelToServe = async ({ name, variant }, options) => {
  const model = await findModel(name, variant, options.modelsDir).catch((error: unknown) => {
    if (!(error instanceof EmbedError) || error.reason !== "MODEL_UNKNOWN") throw error;
    const own = resolveModelsDir(options.modelsDir);
    const mend = `choose one with --model or PORTICO_MODEL; imported ones are looked for in ${own} (--models-dir or PORTICO_MODELS)`;
    throw new EmbedError("MODEL_UNKNOWN", `${error.message}; ${mend}`, { cause: error });
  });
  return {
    description: (await findCompleteManifest(model, options.cache)) ?? model,
    prepare: async () => (await prepareForCli(model, options)).manifest,
    open: (manifest, workers, hooks) => openPoolForCli({ ...model, ...manifest }, workers, options, hooks),
  };
};

export interface OpenedModels extends ModelsOnServer {
  /** Of the first model. */
  readonly manifest: ModelManifest;
  /** Of each model. */
  readonly workers: number;
  /** Why there are so many workers. */
  readonly why: string;
  /** Of the first model: what its first worker told, once it was ready. */
  first(): Extract<PoolEvent, { kind: "worker-ready" }> | undefined;
}

/**
 * The models that options name; nothing is loaded yet. The first is prepared, with progress on stderr, where not all is known
 * of it without that.
 * @throws EmbedError `CONFIG_INVALID`, `MODEL_UNKNOWN`, whatever `prepareModel` throws for the first
 */
export async function openModels(
  options: ServeOptions,
  log: Log,
  find: FindModelToServe = findInCatalog,
): Promise<OpenedModels> {
  const choices = toModelChoices(options);
  const isLazy = options.lazyModels === true;
  const machine = readMachine();
  const maxBytes = options.maxModelMemoryBytes ?? modelBytesOf(machine);
  const { workers, why } = options.workers
    ? { workers: options.workers, why: "--workers" }
    : chooseWorkers(
        { ...machine, memoryBytes: maxBytes + processBytes },
        isLazy ? Math.min(choices.length, 2) : choices.length,
      );
  const queue = toQueueLimits(options);
  const [engine] = listEnginesHere(options.engine, options.threads);

  async function toServe(choice: ModelChoice): Promise<ModelToServe> {
    const { open, ...found } = await find(choice, options);
    return {
      ...found,
      workers,
      engine,
      open: (manifest, onEvent) => open(manifest, workers, { queue, onEvent }),
    };
  }

  // All, so that a name that is not known is told before anything is fetched.
  const [found, ...others] = (await Promise.all(choices.map(toServe))) as [ModelToServe, ...ModelToServe[]];
  const manifest = isComplete(found.description) ? found.description : await found.prepare();
  let first: Extract<PoolEvent, { kind: "worker-ready" }> | undefined;
  const served = serveModels({
    models: [{ ...found, description: manifest }, ...others],
    isLazy,
    maxBytes,
    limits: {
      maxItems: options.maxItems,
      maxImageBytes: options.maxImageBytes,
      maxPixels: options.maxPixels,
    },
    version: packageVersion(),
    onPoolEvent(model, event) {
      if (model === choices[0].name && event.kind === "worker-ready") first ??= event;
      logPoolEvent(log.child({ model }), event);
    },
    onLoadEvent(event) {
      // One that is alone is loaded as the server is: the line `ready` says so.
      if (others.length > 0) logLoadEvent(log.child({ model: event.model }), event);
    },
  });
  return { ...served, manifest, workers, why, first: () => first };
}
