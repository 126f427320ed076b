import type { ModelManifest } from "../embed/model-manifest.ts";
import type { EngineName } from "../engine/engine.ts";
import type { ImageLimits } from "../image/pixels.ts";
import { readModel } from "./model/read-model.ts";
import { readVectorGolden } from "./model/vector-golden.ts";
import type { QueueLimits } from "./pool/job-queue.ts";
import { loadCodecs } from "./pool/load-codecs.ts";
import { loadKernels } from "./pool/load-kernels.ts";
import { createWorkerPool, type PoolEvent, type WorkerPool } from "./pool/worker-pool.ts";

export interface OpenEmbedderOptions {
  readonly manifest: ModelManifest;
  /** Brings the converted model into the cache and gives its path. */
  readonly prepare: () => Promise<string>;
  readonly engine: EngineName;
  readonly workers: number;
  /** Engine threads of each worker. */
  readonly threads: number;
  readonly limits: ImageLimits;
  /** Longest time of one picture inside a worker. Default: that of `defaultWorkerLimits`. */
  readonly itemTimeoutMs?: number;
  /** A worker whose WebAssembly memory has grown beyond this is replaced. Default: `defaultWorkerMaxMemoryBytes`. */
  readonly workerMaxMemoryBytes?: number;
  readonly queue: QueueLimits;
  readonly onEvent?: (event: PoolEvent) => void;
}

/** The photograph that every worker must embed as Keras does before it takes work. */
const selfCheckImage = "photo/allium-oreophilum.jpg";

/** Opens a pool of workers for a model; it holds calls until the first worker has passed its self-check. */
export function openEmbedder(options: OpenEmbedderOptions): WorkerPool {
  const { workers, queue, itemTimeoutMs, workerMaxMemoryBytes } = options;
  return createWorkerPool({
    workers,
    queue,
    ...(itemTimeoutMs !== undefined && { itemTimeoutMs }),
    ...(workerMaxMemoryBytes !== undefined && { workerMaxMemoryBytes }),
    async loadSetup() {
      const [onnx, codecs, kernels, selfCheck] = await Promise.all([
        options.prepare().then((path) => readModel(path, options.manifest)),
        loadCodecs(),
        loadKernels(),
        readVectorGolden(selfCheckImage),
      ]);
      return {
        engine: options.engine,
        onnx,
        codecs,
        kernels,
        selfCheck,
        preprocess: options.manifest.preprocess,
        limits: options.limits,
        threads: options.threads,
      };
    },
    ...(options.onEvent && { onEvent: options.onEvent }),
  });
}
