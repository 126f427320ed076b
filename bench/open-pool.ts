import type { EngineName } from "../src/engine/engine.ts";
import { defaultImageLimits } from "../src/image/pixels.ts";
import { findModelManifest } from "../src/node/model/model-catalog.ts";
import { prepareModel } from "../src/node/model/model-store.ts";
import { openEmbedder } from "../src/node/open-embedder.ts";
import { defaultQueueLimits } from "../src/node/pool/job-queue.ts";
import type { WorkerPool } from "../src/node/pool/worker-pool.ts";

/** A pool of workers as `portico serve` opens it, in this process; all of its workers are ready. */
export async function openPool(engine: EngineName, workers: number): Promise<WorkerPool> {
  const manifest = await findModelManifest("resnet50");
  const all = Promise.withResolvers<void>();
  let ready = 0;
  const pool = openEmbedder({
    manifest,
    prepare: () => prepareModel(manifest),
    engine,
    workers,
    threads: 1,
    limits: defaultImageLimits,
    queue: defaultQueueLimits,
    onEvent(event) {
      if (event.kind === "worker-lost") all.reject(event.error);
      if (event.kind === "worker-ready" && ++ready === workers) all.resolve();
    },
  });
  await Promise.all([pool.ready, all.promise]);
  return pool;
}
