/**
 * A server to be sent mutated requests, in a process of its own: every route, the worker pool and the decoders
 * of `portico serve`, with a network so small that a picture costs milliseconds. It tells its parent its port,
 * then what it holds whenever it is asked.
 */
import { readFile } from "node:fs/promises";
import resnet50 from "../../models/resnet50/manifest.json" with { type: "json" };
import { convertKeras } from "../../src/convert/convert-keras.ts";
import { readTfjsLayers } from "../../src/convert/keras-format/read-tfjs-layers.ts";
import type { ModelManifest } from "../../src/embed/model-manifest.ts";
import { EmbedError } from "../../src/errors.ts";
import { type ImageLimits, imageFormats } from "../../src/image/pixels.ts";
import { createAccessLog } from "../../src/node/observe/access-log.ts";
import { createLog } from "../../src/node/observe/log.ts";
import { createMetrics } from "../../src/node/observe/metrics.ts";
import { defaultQueueLimits } from "../../src/node/pool/job-queue.ts";
import { loadCodecs } from "../../src/node/pool/load-codecs.ts";
import { loadKernels } from "../../src/node/pool/load-kernels.ts";
import { createWorkerPool } from "../../src/node/pool/worker-pool.ts";
import type { WorkerSetup } from "../../src/node/pool/worker-protocol.ts";
import { startServer } from "../../src/node/start-server.ts";
import { createReadiness } from "../../src/service/readiness.ts";
import { alwaysLoaded, defaultMaxItems } from "../../src/service/served-model.ts";
import { seriesOf } from "../load/tiny-server.ts";
import { watchInternalAnswers } from "./request-internal-answers.ts";
import { readSamplePictures } from "./request-samples.ts";
import type { VictimState } from "./request-victim-process.ts";

const side = 8;
/** WebAssembly keeps the memory of the largest picture; a mutated one should not pass for a leak. */
const imageLimits: ImageLimits = { maxPixels: 1_000_000 };
const manifest = resnet50 as unknown as ModelManifest;
const log = createLog("info");
const readiness = createReadiness();

async function loadSetup(): Promise<WorkerSetup> {
  const nets = new URL("../../fixtures/golden/convert/", import.meta.url);
  const modelJson = JSON.parse(await readFile(new URL("residual-block.model.json", nets), "utf8"));
  const keras = await readTfjsLayers(modelJson, () => readFile(new URL("residual-block.bin", nets)));
  const outputLayer: string = modelJson.modelTopology.model_config.config.output_layers[0][0];
  const { onnx, dimension } = convertKeras(keras, { outputLayer, inputShape: [side, side, 3] });
  const [picture] = await readSamplePictures();
  return {
    engine: "ort-wasm",
    onnx,
    codecs: await loadCodecs(),
    kernels: await loadKernels(),
    preprocess: { ...manifest.preprocess, width: side, height: side },
    limits: imageLimits,
    threads: 1,
    // No reference exists for this network; any vector of length 1 lies within 1 of none.
    selfCheck: { name: "a pixel", bytes: picture!, vector: new Float32Array(dimension), tolerance: 1 },
  };
}

const pool = createWorkerPool({
  workers: 1,
  loadSetup,
  itemTimeoutMs: 30_000,
  queue: defaultQueueLimits,
  onEvent(event) {
    if (event.kind === "ready-changed") readiness.set(event.ready);
    onPoolEvent(event);
    if (event.kind === "worker-lost") log.error({ reason: event.error.reason }, event.error.message);
  },
});
const metrics = createMetrics({
  version: "0",
  isReady: readiness.current,
  models: [seriesOf(manifest, pool)],
});
const { onPoolEvent, onResult, observeEmbedder } = metrics.ofModel(manifest.name);
const server = await startServer({
  models: [
    {
      manifest,
      embedder: observeEmbedder(pool),
      ...alwaysLoaded(pool),
      onResult,
      engine: pool.engine,
      formats: imageFormats,
      limits: { maxItems: defaultMaxItems, maxImageBytes: 2 ** 20, ...imageLimits },
    },
  ],
  readiness,
  metrics,
  async fetchBytes() {
    throw new EmbedError("SOURCE_FORBIDDEN", "this server fetches no URL");
  },
  listen: { host: "127.0.0.1", port: 0 },
  endpoint: undefined,
  observers: [createAccessLog(log)],
  log,
});
await pool.ready;
const internalAnswers = watchInternalAnswers();

process.on("message", () => {
  // What is only not yet thrown away is no leak.
  globalThis.gc?.();
  const { rss, heapUsed, external } = process.memoryUsage();
  const state: VictimState = {
    rssBytes: rss,
    heapBytes: heapUsed + external,
    connections: process.getActiveResourcesInfo().filter((name) => name === "TCPSocketWrap").length,
    queuedItems: pool.state().queuedItems,
    internalAnswers: internalAnswers(),
  };
  process.send?.(state);
});
process.on("disconnect", () => process.exit(0));
process.send?.(Number(new URL(server.localUrl).port));
