import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { Embedder, EmbedFailure, EmbedOptions } from "../../embed/embedder.ts";
import type { ProcessorHost } from "../../embed/processor.ts";
import { maxBatchPictures } from "../pool/batch-line.ts";
import type { PoolEvent } from "../pool/worker-pool.ts";
import type { LoadEvent } from "../serving/model-loader.ts";
import { addModelGauges, type ModelSeries } from "./metrics-models.ts";
import type { RequestObserver } from "./observe-requests.ts";
import { currentRequest, type RequestRecord, type Stage } from "./request-record.ts";

/**
 * What a Prometheus server reads from `/metrics`. Names follow its conventions: base units, `_total`. Every
 * label has a closed list of values: no caller can make a new series.
 */
export interface Metrics {
  readonly contentType: string;
  /** The text of `/metrics`. */
  text(): Promise<string>;
  /** Counts requests, and calls by method, protocol and code, when they have ended. */
  readonly observer: RequestObserver;
  /** Notes the time that the bytes of one URL took to come, from its turn on; failures too. */
  readonly onFetched: (fetched: { readonly ms: number }) => void;
  /** Counts how often models were loaded and taken out of memory. */
  readonly onLoadEvent: (event: LoadEvent) => void;
  /** Of the model with this name, one of the options'. */
  ofModel(name: string): ModelMetrics;
}

/** What is noted of one model, or of a processor. */
export interface ModelMetrics {
  /** Counts one picture by its reason. */
  readonly onResult: (result: { readonly ok: true } | EmbedFailure) => void;
  /** Counts workers that are replaced, and notes how many pictures an engine takes at once. */
  readonly onPoolEvent: (event: PoolEvent) => void;
  /**
   * The same embedder, which also notes how long pictures wait: from `embed` to its result, less the worker's
   * own stages. So the way between threads (about a millisecond) is a part of it.
   */
  observeEmbedder<T extends Pick<Embedder, "concurrency" | "embed">>(embedder: T): T;
  /** The same of a processor, which has one stage. */
  observeProcessor<T extends ProcessorHost>(host: T): T;
}

export interface MetricsOptions {
  /** Of Portico. */
  readonly version: string;
  /** Whether work is taken. */
  readonly isReady: () => boolean;
  readonly models: readonly ModelSeries[];
}

/** From a Health check to a batch of a thousand pictures. */
const callBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
/** From a nearest resize to the slowest picture. */
const stageBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** To the largest batch. */
const batchBuckets = [1, 2, 4, 8, 16, maxBatchPictures];

/** The times of so many pictures of one request are kept for its trace; a batch may hold a thousand. */
const tracedItemsMax = 16;

export function createMetrics({ version, isReady, models }: MetricsOptions): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const inFlight = new Gauge({
    name: "portico_requests_in_flight",
    help: "HTTP requests that have begun and not ended, streams and probes included",
    registers,
  });
  const requests = new Counter({
    name: "portico_http_requests_total",
    help: "HTTP requests ended, by version and status; none: the client left before there was a status",
    labelNames: ["version", "status"],
    registers,
  });
  const calls = new Counter({
    name: "portico_calls_total",
    help: "RPCs ended, by method, protocol and the code that the client was told; OK is success",
    labelNames: ["method", "protocol", "code"],
    registers,
  });
  const callSeconds = new Histogram({
    name: "portico_call_seconds",
    help: "Time of an RPC, from its headers to the end of its answer",
    labelNames: ["method"],
    buckets: callBuckets,
    registers,
  });
  const items = new Counter({
    name: "portico_items_total",
    help: "Pictures worked on, by model and reason; OK is an embedding",
    labelNames: ["model", "reason"],
    registers,
  });
  const stageSeconds = new Histogram({
    name: "portico_stage_seconds",
    help: "Time of one picture in one stage: fetch (of a URL, of no model), queue, decode, preprocess, infer; process of a processor",
    labelNames: ["model", "stage"],
    buckets: stageBuckets,
    registers,
  });
  const workersLost = new Counter({
    name: "portico_worker_restarts_total",
    help: "Workers replaced, by model and reason; OUTGROWN: it had grown beyond its memory",
    labelNames: ["model", "reason"],
    registers,
  });
  const batchItems = new Histogram({
    name: "portico_batch_items",
    help: "Pictures of one run of an engine that takes several at once (ort-webgpu); no other engine has runs here",
    labelNames: ["model"],
    buckets: batchBuckets,
    registers,
  });
  const loads = new Counter({
    name: "portico_model_loads_total",
    help: "Times that a model was loaded, by reason; OK: it is in memory since",
    labelNames: ["model", "reason"],
    registers,
  });
  const unloads = new Counter({
    name: "portico_model_unloads_total",
    help: "Times that a model was taken out of memory to make room for another",
    labelNames: ["model"],
    registers,
  });
  // A rate sees no first event: a series must be there before it.
  for (const { name: model } of models) {
    for (const reason of ["ENGINE_FAILED", "IMAGE_TOO_SLOW", "VECTOR_DRIFT", "OUTGROWN"]) {
      workersLost.inc({ model, reason }, 0);
    }
    for (const reason of ["OK", "OVERLOADED", "ENGINE_FAILED", "INTERNAL"]) items.inc({ model, reason }, 0);
    loads.inc({ model, reason: "OK" }, 0);
    unloads.inc({ model }, 0);
  }
  new Gauge({
    name: "portico_ready",
    help: "1 while work is taken",
    registers,
    collect() {
      this.set(isReady() ? 1 : 0);
    },
  });
  addModelGauges(registers, version, models);

  function countCall({ method = "unknown", protocol = "connect", code, ms }: RequestRecord): void {
    if (code === undefined) return;
    calls.inc({ method, protocol, code });
    callSeconds.observe({ method }, ms / 1000);
  }

  /** In the histogram, and in the trace of the current request. */
  function noteStages(stages: readonly (readonly [Stage, number])[], model?: string): void {
    for (const [stage, ms] of stages) stageSeconds.observe({ ...(model && { model }), stage }, ms / 1000);
    const times = currentRequest()?.itemTimes;
    if (times && times.length < tracedItemsMax) times.push({ endedAt: Date.now(), stages });
  }

  return {
    contentType: registry.contentType,
    text: () => registry.metrics(),
    observer: {
      onStart: () => inFlight.inc(),
      onEnd(record) {
        inFlight.dec();
        requests.inc({ version: record.httpVersion, status: record.status ?? "none" });
        countCall(record);
      },
    },
    onFetched: ({ ms }) => noteStages([["fetch", ms]]),
    onLoadEvent(event) {
      const { model } = event;
      if (event.kind === "loaded") loads.inc({ model, reason: "OK" });
      if (event.kind === "load-failed") loads.inc({ model, reason: event.error.reason });
      if (event.kind === "unloaded") unloads.inc({ model });
    },
    ofModel: (model) => ({
      onResult(result) {
        items.inc({ model, reason: result.ok ? "OK" : result.error.reason });
        const record = currentRequest();
        if (record) record.items += 1;
      },
      onPoolEvent(event) {
        if (event.kind === "worker-lost") workersLost.inc({ model, reason: event.error.reason });
        if (event.kind === "worker-outgrown") workersLost.inc({ model, reason: "OUTGROWN" });
        if (event.kind === "batch-begun") batchItems.observe({ model }, event.pictures);
      },
      observeEmbedder: (embedder) => ({
        ...embedder,
        get concurrency() {
          return embedder.concurrency;
        },
        async embed(bytes: Uint8Array, options?: EmbedOptions) {
          const start = performance.now();
          const result = await embedder.embed(bytes, options);
          if (result.ok) {
            const { decodeMs, preprocessMs, inferMs } = result.timings;
            const waitMs = performance.now() - start - decodeMs - preprocessMs - inferMs;
            const stages = [
              ["queue", Math.max(0, waitMs)],
              ["decode", decodeMs],
              ["preprocess", preprocessMs],
              ["infer", inferMs],
            ] as const;
            noteStages(stages, model);
          }
          return result;
        },
      }),
      observeProcessor: (host) => ({
        ...host,
        async process(bytes, options) {
          const start = performance.now();
          const result = await host.process(bytes, options);
          if (result.ok) {
            const waitMs = performance.now() - start - result.processMs;
            const stages = [
              ["queue", Math.max(0, waitMs)],
              ["process", result.processMs],
            ] as const;
            noteStages(stages, model);
          }
          return result;
        },
      }),
    }),
  };
}
