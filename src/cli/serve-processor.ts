import type { ProcessResult } from "../embed/processor.ts";
import type { HttpLog } from "../node/http/http-types.ts";
import type { Log } from "../node/observe/log.ts";
import { createMetrics } from "../node/observe/metrics.ts";
import { createRareLog } from "../node/observe/rare-log.ts";
import { chooseWorkers, readMachine } from "../node/pool/default-workers.ts";
import { createProcessorPool } from "../node/pool/processor-pool.ts";
import type { ProcessorSource } from "../node/pool/processor-protocol.ts";
import type { PoolEvent } from "../node/pool/worker-pool.ts";
import { startServer } from "../node/start-server.ts";
import { createReadiness } from "../service/readiness.ts";
import { toQueueLimits } from "./load-options.ts";
import { logPoolEvent } from "./log-pool-event.ts";
import { packageVersion } from "./package-version.ts";
import type { ServeOptions } from "./serve-options.ts";
import { readServeSettings } from "./serve-settings.ts";
import { stopServerOnSignals } from "./stop-server.ts";

/**
 * `portico serve --processor`: as for a model, but the port opens when the processor is loaded, which takes no time that
 * anybody would wait through.
 */
export async function serveProcessor(options: ServeOptions, source: ProcessorSource): Promise<void> {
  const startedAt = performance.now();
  const { log, toServer, closeObservability } = await readServeSettings(options);
  const readiness = createReadiness();
  const { workers, why } = options.workers
    ? { workers: options.workers, why: "--workers" }
    : chooseWorkers(readMachine());
  const { maxItems, maxImageBytes, maxPixels } = options;
  const limits = { maxItems, maxImageBytes, maxPixels };
  const onEvent = (event: PoolEvent) => {
    // The first event, and the only one before there are metrics.
    if (event.kind === "ready-changed") {
      readiness.set(event.ready);
      return;
    }
    onPoolEvent(event);
    logPoolEvent(log, event);
  };
  const pool = createProcessorPool({
    ...{ source, workers, onEvent, pictures: limits, queue: toQueueLimits(options) },
    itemTimeoutMs: options.itemTimeoutMs,
    workerMaxMemoryBytes: options.workerMaxMemoryBytes,
  });
  await pool.ready;
  const series = {
    name: pool.name(),
    vectorSpace: () => "",
    engine: () => undefined,
    pool: pool.state,
    memoryBytes: () => 0,
  };
  const metrics = createMetrics({ version: packageVersion(), isReady: readiness.current, models: [series] });
  const { onPoolEvent, onResult, observeProcessor } = metrics.ofModel(series.name);
  const logFailure = tellFailures(log);
  const { shared, loadForUrls } = toServer(metrics);
  const server = await startServer({
    ...shared,
    processor: {
      name: pool.name(),
      // A server that stops is not healthy, though its workers are.
      host: observeProcessor({ ...pool, isReady: readiness.current }),
      limits,
      onResult(result) {
        onResult(result);
        logFailure(result);
      },
    },
    readiness,
  });
  stopServerOnSignals(log, options, {
    server,
    endReadiness: readiness.end,
    close: () => Promise.all([pool.dispose(), closeObservability()]),
    exitCode: () => 0,
  });
  const facts = {
    url: server.localUrl,
    endpoint: server.endpoint,
    processor: pool.name(),
    workers: `${workers} (${why})`,
    startMs: Math.round(performance.now() - startedAt),
  };
  log.info(facts, "ready");
  // As for a model.
  loadForUrls();
}

/** Where in its code a processor failed, for whoever writes one; its caller is told the message alone. */
function tellFailures(log: Log): (result: ProcessResult) => void {
  const rareLog: HttpLog = createRareLog((level, message, fields) => log[level](fields ?? {}, message));
  return (result) => {
    if (result.ok || result.error.reason !== "PROCESSOR_FAILED") return;
    const { message, cause } = result.error;
    rareLog("warn", message, cause === undefined ? {} : { cause: String(cause) });
  };
}
