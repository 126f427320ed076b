import type { EngineName } from "../../src/engine/engine.ts";
import { imageFormats } from "../../src/image/pixels.ts";
import { createFetchImage } from "../../src/node/fetch/fetch-image.ts";
import { defaultFetchPolicy } from "../../src/node/fetch/fetch-policy.ts";
import type { HttpLimits } from "../../src/node/http/http-limits.ts";
import { createLog } from "../../src/node/observe/log.ts";
import { createMetrics } from "../../src/node/observe/metrics.ts";
import { defaultQueueLimits, type QueueLimits } from "../../src/node/pool/job-queue.ts";
import { createWorkerPool, type WorkerPool } from "../../src/node/pool/worker-pool.ts";
import { type RunningServer, startServer } from "../../src/node/start-server.ts";
import { createReadiness } from "../../src/service/readiness.ts";
import { defaultMaxItems } from "../../src/service/served-model.ts";
import { openTinyModel } from "./tiny-model.ts";

export interface TinyServerOptions {
  readonly workers?: number;
  readonly engine?: EngineName;
  readonly gangThreads?: number;
  readonly maxItems?: number;
  readonly queue?: Partial<QueueLimits>;
  readonly limits?: Partial<HttpLimits>;
}

export interface TinyServer {
  readonly server: RunningServer;
  readonly embedder: WorkerPool;
  close(): Promise<void>;
}

/** The real server with real workers over the tiny network, on a free port of 127.0.0.1; ready when it resolves. */
export async function startTinyServer(options: TinyServerOptions = {}): Promise<TinyServer> {
  const { workers = 2, engine, gangThreads, maxItems = defaultMaxItems, limits = {} } = options;
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
  const build = {
    version: "0",
    engine: embedder.engine,
    model: manifest.name,
    vectorSpace: manifest.fingerprint,
  };
  const metrics = createMetrics(build, () => embedder.state());
  const server = await startServer({
    models: [
      {
        manifest,
        embedder: metrics.observeEmbedder(embedder),
        onResult: metrics.onResult,
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
    listen: { host: "127.0.0.1", port: 0 },
    endpoint: undefined,
    limits,
    log,
  });
  await embedder.ready;
  return {
    server,
    embedder,
    async close() {
      await server.close({ graceMs: 5_000 });
      await embedder.dispose();
    },
  };
}
