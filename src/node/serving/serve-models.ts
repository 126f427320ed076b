import { isComplete, type ModelDescription, type ModelManifest } from "../../embed/model-manifest.ts";
import type { EngineName } from "../../engine/engine.ts";
import { EmbedError } from "../../errors.ts";
import { imageFormats } from "../../image/pixels.ts";
import { createReadiness, type Readiness } from "../../service/readiness.ts";
import type { ServedEmbedder, ServedModel, ServiceLimits } from "../../service/served-model.ts";
import { createMetrics, type Metrics } from "../observe/metrics.ts";
import type { PoolEvent, WorkerPool } from "../pool/worker-pool.ts";
import { expectedPoolBytes, leastPoolBytes, poolBytes } from "./expected-memory.ts";
import {
  createModelLoader,
  type LoadableModel,
  type LoadEvent,
  type ModelLoaderLimits,
} from "./model-loader.ts";
import type { ModelToLoad } from "./model-slot.ts";

export interface ModelToServe {
  /** As far as it is known before somebody has seen its weights. */
  readonly description: ModelDescription;
  /** Brings its file into the cache, and gives all that is known then. */
  readonly prepare: () => Promise<ModelManifest>;
  /** Opens its pool, with so many workers. */
  readonly open: (manifest: ModelManifest, onEvent: (event: PoolEvent) => void) => WorkerPool;
  readonly workers: number;
  /** The engine that its pool tries first, should the first model not have found one yet. */
  readonly engine: EngineName;
}

export interface ServeModelsOptions {
  /** Each name once; the first is loaded at the start and stays in memory. Of it all is known. */
  readonly models: readonly [ModelToServe, ...ModelToServe[]];
  /** Whether the others are loaded when they are first called; else at the start, after the first. */
  readonly isLazy: boolean;
  /** What all models in memory may take together, in bytes. */
  readonly maxBytes: number;
  readonly limits: ServiceLimits;
  /** What differs from the defaults. */
  readonly loaderLimits?: Partial<ModelLoaderLimits>;
  /** Of Portico, for the metrics. */
  readonly version: string;
  readonly onPoolEvent?: (model: string, event: PoolEvent) => void;
  readonly onLoadEvent?: (event: LoadEvent) => void;
}

export interface ModelsOnServer {
  readonly models: readonly [ServedModel, ...ServedModel[]];
  readonly metrics: Metrics;
  /** The first model works, and the others were loaded or found to be broken, or are lazy. */
  readonly readiness: Readiness;
  /** The first model works. */
  readonly operatorReadiness: Readiness;
  /**
   * Loads the first model, then the others unless they are lazy.
   * @throws EmbedError why the first cannot be had; what keeps another one is for its own callers and for the events
   */
  load(): Promise<void>;
  /** Not ready from now on; work goes on. */
  endReadiness(): void;
  close(): Promise<void>;
}

/** Models as the services offer them: each with a pool of workers of its own, which is there while the model is in memory. */
export function serveModels(options: ServeModelsOptions): ModelsOnServer {
  const readiness = createReadiness();
  const operatorReadiness = createReadiness();
  const [first] = options.models;
  let areOthersDone = options.models.length === 1 || options.isLazy;
  const followFirst = () => readiness.set(operatorReadiness.current() && areOthersDone);

  /** What is known of each model now. */
  const manifests = options.models.map(({ description }) => description);

  function toLoad(model: ModelToServe, index: number): ModelToLoad<WorkerPool> {
    const { workers } = model;
    const { name } = model.description;
    const size = () => ({ workers, onnxBytes: manifests[index]?.onnx?.bytes ?? 0 });
    return {
      name,
      async prepare() {
        manifests[index] = await model.prepare();
      },
      open() {
        const pool = model.open(complete(manifests[index] as ModelDescription), (event) => {
          if (model === first && event.kind === "ready-changed") {
            operatorReadiness.set(event.ready);
            followFirst();
          }
          metrics.ofModel(name).onPoolEvent(event);
          options.onPoolEvent?.(name, event);
        });
        const memoryBytes = () => poolBytes(size(), pool.engine(), pool.memoryBytes());
        return {
          ...pool,
          memoryBytes,
          get concurrency() {
            return pool.concurrency;
          },
        };
      },
      leastBytes: () => leastPoolBytes(size()),
      expectedBytes: () =>
        expectedPoolBytes({ ...size(), engine: loadables[0]?.loaded()?.engine() ?? model.engine }),
    };
  }

  const [firstToLoad, ...others] = options.models.map(toLoad);
  const loader = createModelLoader<WorkerPool>({
    models: [firstToLoad as ModelToLoad<WorkerPool>, ...others],
    maxBytes: options.maxBytes,
    ...(options.loaderLimits && { limits: options.loaderLimits }),
    onEvent(event) {
      metrics.onLoadEvent(event);
      options.onLoadEvent?.(event);
    },
  });
  const loadables = loader.models;
  const metrics = createMetrics({
    version: options.version,
    isReady: readiness.current,
    models: options.models.map(({ description }, index) => {
      const loaded = () => loadables[index]?.loaded();
      return {
        name: description.name,
        vectorSpace: () => manifests[index]?.fingerprint ?? "",
        engine: () => loaded()?.engine(),
        pool: () => loaded()?.state(),
        memoryBytes: () => loaded()?.memoryBytes() ?? 0,
      };
    }),
  });

  function toServed({ description }: ModelToServe, index: number): ServedModel {
    const loadable = loadables[index] as LoadableModel<WorkerPool>;
    const { onResult, observeEmbedder } = metrics.ofModel(description.name);
    const isReady = () => !readiness.isEnded() && (loadable.loaded()?.isReady() ?? false);
    return {
      get manifest() {
        return manifests[index] ?? description;
      },
      embedder: observeEmbedder({
        ...embedderOf(loadable),
        // A server that stops is not healthy, though its workers are.
        isReady: index === 0 ? operatorReadiness.current : isReady,
      }),
      state: loadable.state,
      hold: loadable.hold,
      onResult,
      engine: () => loadable.loaded()?.engine(),
      formats: imageFormats,
      limits: options.limits,
    };
  }

  const [firstServed, ...otherServed] = options.models.map(toServed);
  return {
    models: [firstServed as ServedModel, ...otherServed],
    metrics,
    readiness,
    operatorReadiness,
    async load() {
      const letGo = await (loadables[0] as LoadableModel<WorkerPool>).hold();
      letGo();
      if (!options.isLazy) await loader.loadAll();
      areOthersDone = true;
      followFirst();
    },
    endReadiness() {
      operatorReadiness.end();
      readiness.end();
    },
    close: () => loader.close(),
  };
}

function complete(model: ModelDescription): ModelManifest {
  if (isComplete(model)) return model;
  throw new EmbedError("INTERNAL", `the model ${model.name} is opened before it was prepared`);
}

/** Takes pictures while the model is in memory, as it is as long as somebody holds it. */
function embedderOf(model: LoadableModel<WorkerPool>): Omit<ServedEmbedder, "isReady"> {
  return {
    get concurrency() {
      return model.loaded()?.concurrency ?? 1;
    },
    async embed(bytes, embedOptions) {
      const pool = model.loaded();
      if (pool) return pool.embed(bytes, embedOptions);
      return { ok: false, error: new EmbedError("INTERNAL", `the model ${model.name} is not held`) };
    },
  };
}
