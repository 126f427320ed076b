import { compareVectors } from "../src/embed/compare-vectors.ts";
import { defaultImageLimits } from "../src/image/pixels.ts";
import { findModelManifest } from "../src/node/model/model-catalog.ts";
import { prepareModel } from "../src/node/model/model-store.ts";
import { listVectorGoldens, readVectorGolden } from "../src/node/model/vector-golden.ts";
import { openEmbedder } from "../src/node/open-embedder.ts";
import { defaultQueueLimits } from "../src/node/pool/job-queue.ts";
import { runClosedLoop } from "./closed-loop.ts";

/** What a GPU behind a real pool does for so many callers, each with one photograph at a time. */
export interface PoolRate {
  readonly callers: number;
  readonly picturesPerSecond: number;
  /** Mean and largest number of pictures in one run. */
  readonly meanBatch: number;
  readonly largestBatch: number;
  /** Largest absolute error of any vector beside Keras's. */
  readonly maxAbsError: number;
}

export interface WebGpuPoolOptions {
  /** Threads that decode. */
  readonly workers: number;
  readonly callers: readonly number[];
  /** For each number of callers. */
  readonly seconds: number;
}

/** 20 min for a picture: a software adapter takes one for a run of many. */
const itemTimeoutMs = 1_200_000;

/** From bytes to vectors: decoding threads, one engine worker, batches of what waits. */
export async function measureWebGpuPool(options: WebGpuPoolOptions): Promise<PoolRate[]> {
  const images = (await listVectorGoldens()).filter((image) => image.startsWith("photo/"));
  const photographs = await Promise.all(images.map(readVectorGolden));
  const manifest = await findModelManifest("resnet50");
  let batches: number[] = [];
  const pool = openEmbedder({
    manifest,
    prepare: () => prepareModel(manifest),
    engine: "ort-webgpu",
    workers: options.workers,
    threads: 1,
    limits: defaultImageLimits,
    itemTimeoutMs,
    queue: defaultQueueLimits,
    onEvent(event) {
      if (event.kind === "batch-begun") batches.push(event.pictures);
    },
  });
  await pool.ready;
  const rates: PoolRate[] = [];
  try {
    for (const callers of options.callers) {
      batches = [];
      let maxAbsError = 0;
      const { perSecond } = await runClosedLoop(
        async (index) => {
          const photograph = photographs[index % photographs.length] as (typeof photographs)[number];
          const result = await pool.embed(photograph.bytes);
          if (!result.ok) throw result.error;
          const error = compareVectors(result.vector, photograph.vector).maxAbsError;
          maxAbsError = Math.max(maxAbsError, error);
        },
        callers,
        { seconds: options.seconds },
      );
      const pictures = batches.reduce((sum, size) => sum + size, 0);
      rates.push({
        callers,
        picturesPerSecond: perSecond,
        meanBatch: pictures / batches.length,
        largestBatch: Math.max(...batches),
        maxAbsError,
      });
    }
  } finally {
    await pool.dispose();
  }
  return rates;
}
