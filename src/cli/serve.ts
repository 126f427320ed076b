import { constants } from "node:os";
import { setTimeout } from "node:timers/promises";
import { type Command, Option } from "commander";
import { EmbedError } from "../errors.ts";
import { imageFormats } from "../image/pixels.ts";
import { commandName } from "../node/command-name.ts";
import { createFetchImage } from "../node/fetch-image.ts";
import { defaultQueueLimits } from "../node/job-queue.ts";
import { resolveListenAddress } from "../node/listen-address.ts";
import { createLog, type Log, type LogLevel, logLevels } from "../node/log.ts";
import { createMetrics } from "../node/metrics.ts";
import { startServer } from "../node/start-server.ts";
import type { PoolEvent } from "../node/worker-pool.ts";
import { createReadiness } from "../service/readiness.ts";
import { defaultMaxItems } from "../service/served-model.ts";
import { type AccessOptions, addAccessOptions, toAccess } from "./access-options.ts";
import { addEngineOptions, type EngineOptions, positiveInteger } from "./common-options.ts";
import {
  addConnectionOptions,
  type ConnectionOptions,
  toConnectionGates,
  toConnectionLimits,
} from "./connection-options.ts";
import { addFetchOptions, type FetchOptions, toFetchPolicy } from "./fetch-options.ts";
import { addLoadOptions, type LoadOptions, toLoadLimits } from "./load-options.ts";
import {
  addObservabilityOptions,
  type ObservabilityOptions,
  toObservability,
} from "./observability-options.ts";
import { openEmbedderForCli } from "./open-embedder-for-cli.ts";
import { packageVersion } from "./package-version.ts";
import { addShutdownOptions, type ShutdownOptions } from "./shutdown-options.ts";
import { cutOffExitCode, stopOnSignals } from "./stop-on-signals.ts";
import { addTlsOptions, type TlsOptions, toTlsFiles } from "./tls-options.ts";
import { tryItLine } from "./try-it-line.ts";

interface ServeOptions
  extends EngineOptions,
    FetchOptions,
    ObservabilityOptions,
    AccessOptions,
    LoadOptions,
    ConnectionOptions,
    TlsOptions,
    ShutdownOptions {
  readonly listen?: string;
  readonly maxItems: number;
  readonly maxQueuedItems: number;
  readonly maxQueuedBytes: number;
  readonly logLevel: LogLevel;
}

export function addServeCommand(program: Command): void {
  addShutdownOptions(
    addTlsOptions(
      addConnectionOptions(
        addLoadOptions(
          addAccessOptions(
            addObservabilityOptions(addFetchOptions(addEngineOptions(program.command("serve")))),
          ),
        ),
      ),
    ),
  )
    .description("serve omnisearch.Operator over gRPC, gRPC-Web and Connect on one port")
    .option("--listen <host:port>", "address to listen on, *:PORT for all interfaces (see below)")
    .option("--max-items <n>", "largest number of pictures in one call", positiveInteger, defaultMaxItems)
    .option(
      "--max-queued-items <n>",
      "pictures that may wait for a worker",
      positiveInteger,
      defaultQueueLimits.maxItems,
    )
    .addOption(
      new Option("--max-queued-bytes <n>", "bytes of all waiting pictures together")
        .argParser(positiveInteger)
        .default(defaultQueueLimits.maxBytes, `${defaultQueueLimits.maxBytes / 2 ** 20} MiB`),
    )
    .addOption(new Option("--log-level <level>", "least severe log line").choices(logLevels).default("info"))
    .addHelpText(
      "after",
      `
Address: --listen; else the port of the environment variable OP_ENDPOINT (HOST:PORT, without a port: 80) on
all interfaces, as Phantoscope's operators do; else 127.0.0.1:52001. Identity echoes OP_ENDPOINT.
The port opens at once. Until the model is ready, Healthy is UNAVAILABLE and Execute waits.
SIGTERM or SIGINT lets calls in flight end; a second one cuts them off. Exit code 0 once all have ended, 1 if
calls were cut off by the end of the grace or by a second signal, and 130 (SIGINT) or 143 (SIGTERM) if the model
was not ready yet.

Examples:
  ${commandName()} serve
  ${commandName()} serve --listen '*:52001' --workers 2`,
    )
    .action(serveCommand);
}

async function serveCommand(options: ServeOptions): Promise<void> {
  const startedAt = performance.now();
  const log = createLog(options.logLevel);
  const opEndpoint = process.env.OP_ENDPOINT || undefined;
  const listen = resolveListenAddress(options.listen, opEndpoint);
  const access = await toAccess(options, log);
  const observability = await toObservability(options, log);
  const tls = toTlsFiles(options);
  const fetchPolicy = toFetchPolicy(options);
  if (fetchPolicy.allowPrivate) {
    log.warn(
      "--allow-private: callers can fetch from any private address; --allow-hosts would name the hosts",
    );
  }
  const readiness = createReadiness();
  let maxAbsError: number | undefined;
  const onEvent = (event: PoolEvent) => {
    if (event.kind === "ready-changed") readiness.set(event.ready);
    if (event.kind === "worker-ready") maxAbsError ??= event.maxAbsError;
    metrics.onPoolEvent(event);
    logPoolEvent(log, event);
  };
  const queue = { maxItems: options.maxQueuedItems, maxBytes: options.maxQueuedBytes };
  const { embedder, manifest, workers, why } = await openEmbedderForCli(options, queue, onEvent);
  const build = {
    version: packageVersion(),
    engine: options.engine,
    model: manifest.name,
    vectorSpace: manifest.fingerprint,
  };
  const metrics = createMetrics(build, () => embedder.state());
  const server = await startServer({
    models: [
      {
        manifest,
        // A server that stops is not healthy, though its workers are.
        embedder: metrics.observeEmbedder({ ...embedder, isReady: readiness.current }),
        onResult: metrics.onResult,
        engine: options.engine,
        formats: imageFormats,
        limits: {
          maxItems: options.maxItems,
          maxImageBytes: options.maxImageBytes,
          maxPixels: options.maxPixels,
        },
      },
    ],
    readiness,
    metrics,
    fetchBytes: createFetchImage(fetchPolicy, {
      onRefused: (refusal) => log.warn(refusal, "a URL was refused"),
      onFetched: metrics.onFetched,
    }),
    listen,
    endpoint: opEndpoint,
    observers: observability.observers,
    ...access,
    ...(tls && { tls }),
    gates: toConnectionGates(options),
    limits: { ...toLoadLimits(options), ...toConnectionLimits(options) },
    log,
  });
  let wasReady = false;
  stopOnSignals(log, async (signal, hurry) => {
    const exitCode = wasReady ? 0 : 128 + constants.signals[signal];
    readiness.end();
    // The second signal ends it.
    await setTimeout(options.shutdownDelayMs, undefined, { signal: hurry }).catch(() => undefined);
    const cutOff = await server.close({ graceMs: options.graceMs, hurry });
    if (cutOff > 0) log.warn({ calls: cutOff }, "calls in flight were cut off");
    await embedder.dispose();
    await observability.close();
    return exitCode === 0 && cutOff > 0 ? cutOffExitCode : exitCode;
  });
  log.info({ url: server.localUrl, endpoint: server.endpoint }, "listening; the model is loading");

  try {
    await embedder.ready;
  } catch (error) {
    await server.close({ graceMs: 0 });
    const { reason, message } = EmbedError.from(error);
    log.fatal({ reason }, message);
    throw error;
  }
  wasReady = true;
  const facts = {
    url: server.localUrl,
    model: manifest.name,
    engine: options.engine,
    workers: `${workers} (${why})`,
    threads: options.threads,
    startMs: Math.round(performance.now() - startedAt),
    // Of the first worker's self-check.
    maxAbsError,
  };
  log.info(facts, "ready");
  // With tokens it would be refused, and a token is not for a terminal's history.
  const mayTry = log.isLevelEnabled("info") && !access.tokens;
  const line = mayTry ? tryItLine(server.localUrl, { tls }) : undefined;
  // Not a line of the log, whose quotes would be escaped: this one is pasted.
  if (line) process.stderr.write(`Try it:\n${line}\n`);
}

function logPoolEvent(log: Log, event: PoolEvent): void {
  if (event.kind === "worker-ready") {
    const { startMs, maxAbsError } = event;
    log.debug({ startMs: Math.round(startMs), maxAbsError }, "a worker passed its self-check");
  }
  if (event.kind === "worker-outgrown") {
    const { wasmBytes } = event;
    log.info({ wasmBytes }, "a worker has grown beyond --worker-max-memory-bytes and is being replaced");
  }
  if (event.kind === "worker-lost") {
    const { error, restartInMs } = event;
    log.error({ reason: error.reason, cause: String(error.cause ?? ""), restartInMs }, error.message);
  }
}
