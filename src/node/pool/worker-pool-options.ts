import type { EngineName } from "../../engine/engine.ts";
import type { RecentSuccessLimits } from "../observe/recent-success.ts";
import type { QueueLimits } from "./job-queue.ts";

import type { WorkerLimits } from "./worker-limits.ts";
import type { PoolEvent } from "./worker-pool.ts";
import type { WorkerSetup } from "./worker-protocol.ts";

/** Limits of each worker have the defaults of `defaultWorkerLimits`. */
export interface WorkerPoolOptions extends Partial<WorkerLimits> {
  /** Number of worker threads, at least 1; with `batchedEngine` of threads that decode. */
  readonly workers: number;
  /** The engine that has one worker for all pictures, and takes several in one run. Default: `defaultBatchedEngine`. */
  readonly batchedEngine?: EngineName;
  /**
   * Threads that may work at once, each on its own picture or several on one; 1: no picture is shared. Default: the
   * processors that this process may use.
   */
  readonly gangThreads?: number;
  /** Called once; the pool takes work before it resolves, and holds it. */
  readonly loadSetup: () => Promise<WorkerSetup>;
  /** A worker whose WebAssembly memory has grown beyond this is replaced. Default: `defaultWorkerMaxMemoryBytes`. */
  readonly workerMaxMemoryBytes?: number;
  /** Whether one more worker fits into memory now. Default: what the system or the cgroup has left. */
  readonly hasRoom?: () => boolean;
  readonly queue: QueueLimits;
  /** When a pool whose workers live is not ready all the same. Default: `defaultRecentSuccessLimits`. */
  readonly recentSuccess?: RecentSuccessLimits;
  /** Longest time without any worker that pictures wait through. Default: `defaultNoWorkerMaxMs`. */
  readonly noWorkerMaxMs?: number;
  readonly onEvent?: (event: PoolEvent) => void;
}

/**
 * 512 MiB: onnxruntime-web takes 246 MiB for ResNet50 whatever the picture, which leaves the decoders as much for
 * a photograph of 24 megapixels (10.6 bytes a pixel); with the rest of a thread it stays within the 640 MiB by
 * which workers are counted.
 */
export const defaultWorkerMaxMemoryBytes = 512 * 2 ** 20;

/**
 * 10 s: a server whose workers were all lost has a new one after 1 s. If it has none for ten times as long,
 * callers are told to try another server instead of waiting to their deadline.
 */
export const defaultNoWorkerMaxMs = 10_000;

/** A GPU has one: two sessions would only share it and hold the model twice, and with one picture at a time it idles. */
export const defaultBatchedEngine: EngineName = "ort-webgpu";
