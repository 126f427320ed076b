import { setTimeout } from "node:timers/promises";
import type { ModelManifest } from "../../src/embed/model-manifest.ts";
import type { EngineName } from "../../src/engine/engine.ts";
import { imageFormats } from "../../src/image/pixels.ts";
import { createFetchImage } from "../../src/node/fetch/fetch-image.ts";
import { defaultFetchPolicy } from "../../src/node/fetch/fetch-policy.ts";
import type { HttpLimits } from "../../src/node/http/http-limits.ts";
import type { ListenAddress } from "../../src/node/http/listen-address.ts";
import { createLog } from "../../src/node/observe/log.ts";
import { createMetrics } from "../../src/node/observe/metrics.ts";
import type { ModelSeries } from "../../src/node/observe/metrics-models.ts";
import { defaultQueueLimits, type QueueLimits } from "../../src/node/pool/job-queue.ts";
import { createWorkerPool, type WorkerPool } from "../../src/node/pool/worker-pool.ts";
import { type RunningServer, startServer } from "../../src/node/start-server.ts";
import { createReadiness } from "../../src/service/readiness.ts";
import { alwaysLoaded, defaultMaxItems } from "../../src/service/served-model.ts";
import { openTinyModel } from "./tiny-model.ts";

export interface TinyServerOptions {
  readonly workers?: number;
  readonly engine?: EngineName;
  readonly gangThreads?: number;
  readonly maxItems?: number;
  readonly queue?: Partial<QueueLimits>;
  readonly limits?: Partial<HttpLimits>;
  /** By default a free port of 127.0.0.1. */
  readonly listen?: ListenAddress;
}

export interface TinyServer {
  readonly server: RunningServer;
  readonly embedder: WorkerPool;
  /**
   * Ends it as `portico serve` ends.
   * @param shutdownDelayMs time in which calls are still taken though health says NOT_SERVING
   * @returns calls that did not end in the grace and were cut off
   */
  close(shutdownDelayMs?: number): Promise<number>;
}

/** What metrics tell of a model that has one pool all the time. */
export function seriesOf({ name, fingerprint }: ModelManifest, pool: WorkerPool): ModelSeries {
  const { engine, memoryBytes } = pool;
  return { name, vectorSpace: () => fingerprint, engine, memoryBytes, pool: () => pool.state() };
}

/** The real server with real workers over the tiny network; ready when it resolves. */
export async function startTinyServer(options: TinyServerOptions = {}): Promise<TinyServer> {
  const { workers = 2, engine, gangThreads, maxItems = defaultMaxItems, limits = {} } = options;
  const { listen = { host: "127.0.0.1", port: 0 } } = options;
  const log = createLog("warn");
  const { manifest, setup } = await openTinyModel();
  const readiness = createReadiness();
  const embedder = createWorkerPool({
    workers,
    ...(gangThreads !== undefined && { gangThreads }),
    loadSetup: async () => ({ ...setup, ...(engine && { engine }) }),
    queue: { ...defaultQueueLimits, ...options.queue },
    onEvent(event) {
      if (event.kind === "ready-changed") readiness.set(event.ready);
    },
  });
  const metrics = createMetrics({
    version: "0",
    isReady: readiness.current,
    models: [seriesOf(manifest, embedder)],
  });
  const { onResult, observeEmbedder } = metrics.ofModel(manifest.name);
  const server = await startServer({
    models: [
      {
        manifest,
        embedder: observeEmbedder(embedder),
        ...alwaysLoaded(embedder),
        onResult,
        engine: embedder.engine,
        formats: imageFormats,
        limits: {
          maxItems,
          maxImageBytes: defaultFetchPolicy.maxBytes,
          maxPixels: setup.limits.maxPixels,
        },
      },
    ],
    readiness,
    metrics,
    fetchBytes: createFetchImage({ ...defaultFetchPolicy, mode: "off" }),
    listen,
    endpoint: undefined,
    limits,
    log,
  });
  await embedder.ready;
  return {
    server,
    embedder,
    async close(shutdownDelayMs = 0) {
      readiness.end();
      await setTimeout(shutdownDelayMs);
      const callsCutOff = await server.close({ graceMs: 5_000 });
      await embedder.dispose();
      return callsCutOff;
    },
  };
}
