import type { ModelManifest } from "../embed/model-manifest.ts";
import type { SelfCheck, WarmUp } from "../embed/self-check.ts";
import type { EngineChoice } from "../engine/engine.ts";
import { listEnginesToTry } from "../engine/engine-order.ts";
import type { ImageLimits } from "../image/pixels.ts";
import { readModel } from "./model/read-model.ts";
import { readSelfCheck } from "./model/vector-golden.ts";
import { enginePackageLacks } from "./pool/engine-package.ts";
import type { QueueLimits } from "./pool/job-queue.ts";
import { loadCodecs } from "./pool/load-codecs.ts";
import { loadKernels } from "./pool/load-kernels.ts";
import { ortNativePackage } from "./pool/native-runtime.ts";
import { webGpuPackage } from "./pool/webgpu-runtime.ts";
import { createWorkerPool, type PoolEvent, type WorkerPool } from "./pool/worker-pool.ts";

export interface OpenEmbedderOptions {
  readonly manifest: ModelManifest;
  /** Brings the converted model into the cache and gives its path. */
  readonly prepare: () => Promise<string>;
  readonly engine: EngineChoice;
  readonly workers: number;
  /** Engine threads of each worker. */
  readonly threads: number;
  /** Threads that may work at once; 1: no picture is shared. Default: the processors that this process may use. */
  readonly gangThreads?: number;
  readonly limits: ImageLimits;
  /** Longest time of one picture inside a worker. Default: that of `defaultWorkerLimits`. */
  readonly itemTimeoutMs?: number;
  /** A worker whose WebAssembly memory has grown beyond this is replaced. Default: `defaultWorkerMaxMemoryBytes`. */
  readonly workerMaxMemoryBytes?: number;
  readonly queue: QueueLimits;
  readonly onEvent?: (event: PoolEvent) => void;
  /** The most WebAssembly memory of an engine, for a model that may be a stranger's. Default: as much as there is. */
  readonly maxWasmBytes?: number;
  /** What each worker must embed before it takes work. Default: the photograph whose vector by this model is known. */
  readonly selfCheck?: SelfCheck | WarmUp;
}

/**
 * 10 min for a GPU that was asked for by name, since that may be one made of software: its first picture takes one to three
 * minutes on two cores. `auto` never takes such a one, and so has the limit of `defaultWorkerLimits`.
 */
const namedGpuStartTimeoutMs = 600_000;

/**
 * What is tried in turn on this machine.
 * @throws EmbedError `CONFIG_INVALID` if the engine that was named cannot start here
 */
export function listEnginesHere(choice: EngineChoice, threads: number) {
  return listEnginesToTry(choice, {
    threads,
    ortNativeLacks: enginePackageLacks(ortNativePackage),
    ortWebGpuLacks: enginePackageLacks(webGpuPackage),
  });
}

/**
 * Opens a pool of workers for a model; it holds calls until the first worker has passed its self-check.
 * @throws EmbedError `CONFIG_INVALID` if the engine cannot start here, as far as that is known without trying
 */
export function openEmbedder(options: OpenEmbedderOptions): WorkerPool {
  const { workers, queue, itemTimeoutMs, workerMaxMemoryBytes, threads, gangThreads } = options;
  const [engine, ...fallbacks] = listEnginesHere(options.engine, threads);
  return createWorkerPool({
    workers,
    queue,
    ...(gangThreads !== undefined && { gangThreads }),
    ...(itemTimeoutMs !== undefined && { itemTimeoutMs }),
    ...(workerMaxMemoryBytes !== undefined && { workerMaxMemoryBytes }),
    ...(options.engine === "ort-webgpu" && { startTimeoutMs: namedGpuStartTimeoutMs }),
    async loadSetup() {
      const readOnnx = async () => readModel(await options.prepare(), options.manifest);
      // Those of the first worker come while the rest is loaded.
      let first: ReturnType<typeof readOnnx> | undefined = readOnnx();
      const [codecs, kernels, selfCheck] = await Promise.all([
        loadCodecs(),
        loadKernels(),
        options.selfCheck ?? readSelfCheck(options.manifest),
        first,
      ]);
      return {
        engine,
        fallbacks,
        onnx() {
          const bytes = first ?? readOnnx();
          first = undefined;
          return bytes;
        },
        codecs,
        kernels,
        selfCheck: selfCheck.vector ? { ...selfCheck, accuracy: options.manifest.accuracy } : selfCheck,
        preprocess: options.manifest.preprocess,
        limits: options.limits,
        threads,
        ...(options.maxWasmBytes !== undefined && { maxWasmBytes: options.maxWasmBytes }),
        maySoftwareGpu: options.engine === "ort-webgpu",
      };
    },
    ...(options.onEvent && { onEvent: options.onEvent }),
  });
}
