import type { ProcessResult } from "../embed/processor.ts";
import { lazyFetchImage } from "../node/fetch/lazy-fetch-image.ts";
import type { HttpLog } from "../node/http/http-types.ts";
import { resolveListenAddress } from "../node/http/listen-address.ts";
import { createLog, type Log } from "../node/observe/log.ts";
import { createMetrics } from "../node/observe/metrics.ts";
import { createRareLog } from "../node/observe/rare-log.ts";
import { chooseWorkers, readMachine } from "../node/pool/default-workers.ts";
import { createProcessorPool } from "../node/pool/processor-pool.ts";
import type { ProcessorSource } from "../node/pool/processor-protocol.ts";
import type { PoolEvent } from "../node/pool/worker-pool.ts";
import { startServer } from "../node/start-server.ts";
import { createReadiness } from "../service/readiness.ts";
import { toAccess } from "./access-options.ts";
import { toConnectionGates, toConnectionLimits } from "./connection-options.ts";
import { toFetchPolicy } from "./fetch-options.ts";
import { toLoadLimits, toQueueLimits } from "./load-options.ts";
import { logPoolEvent } from "./log-pool-event.ts";
import { toObservability } from "./observability-options.ts";
import { packageVersion } from "./package-version.ts";
import type { ServeOptions } from "./serve-options.ts";
import { serveWarnings } from "./serve-warnings.ts";
import { stopServerOnSignals } from "./stop-server.ts";
import { toTlsFiles } from "./tls-options.ts";

/**
 * `portico serve --processor`: as for a model, but the port opens when the processor is loaded, which takes no time that
 * anybody would wait through.
 */
export async function serveProcessor(options: ServeOptions, source: ProcessorSource): Promise<void> {
  const startedAt = performance.now();
  const log = createLog(options.logLevel);
  const opEndpoint = process.env.OP_ENDPOINT || undefined;
  const listen = resolveListenAddress(options.listen, opEndpoint);
  const tls = toTlsFiles(options);
  const fetchPolicy = toFetchPolicy(options);
  const access = await toAccess(options, log);
  const observability = await toObservability(options, log);
  for (const warning of serveWarnings(options, opEndpoint)) log.warn(warning);
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
  const fetchImage = lazyFetchImage(fetchPolicy, {
    onRefused: (refusal) => log.warn(refusal, "a URL was refused"),
    onFetched: metrics.onFetched,
  });
  const server = await startServer({
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
    metrics,
    fetchBytes: fetchImage.fetchBytes,
    listen,
    endpoint: opEndpoint,
    observers: observability.observers,
    ...access,
    ...(tls && { tls }),
    gates: toConnectionGates(options),
    limits: { ...toLoadLimits(options), ...toConnectionLimits(options) },
    log,
  });
  stopServerOnSignals(log, options, {
    server,
    endReadiness: readiness.end,
    close: () => Promise.all([pool.dispose(), observability.close()]),
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
  if (options.urls !== "off") fetchImage.load().catch(() => undefined);
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
