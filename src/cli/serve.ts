import { constants } from "node:os";
import { type Command, Option } from "commander";
import { EmbedError } from "../errors.ts";
import { imageFormats } from "../image/pixels.ts";
import { commandName } from "../node/command-name.ts";
import { nodeDial } from "../node/fetch-connect.ts";
import { createFetchImage } from "../node/fetch-image.ts";
import { defaultQueueLimits } from "../node/job-queue.ts";
import { resolveListenAddress } from "../node/listen-address.ts";
import { createLog, type Log, type LogLevel, logLevels } from "../node/log.ts";
import { createMetrics } from "../node/metrics.ts";
import { startServer } from "../node/start-server.ts";
import type { PoolEvent } from "../node/worker-pool.ts";
import { createReadiness } from "../service/readiness.ts";
import { defaultMaxItems } from "../service/served-model.ts";
import { addEngineOptions, type EngineOptions, milliseconds, positiveInteger } from "./common-options.ts";
import { addFetchOptions, type FetchOptions, toFetchPolicy } from "./fetch-options.ts";
import { openEmbedderForCli } from "./open-embedder-for-cli.ts";
import { tryItLine } from "./try-it-line.ts";

interface ServeOptions extends EngineOptions, FetchOptions {
  readonly listen?: string;
  readonly maxItems: number;
  readonly maxQueuedItems: number;
  readonly maxQueuedBytes: number;
  readonly graceMs: number;
  readonly logLevel: LogLevel;
}

export function addServeCommand(program: Command): void {
  addFetchOptions(addEngineOptions(program.command("serve")))
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
    .option("--grace-ms <n>", "time that calls in flight get at shutdown", milliseconds, 30_000)
    .addOption(new Option("--log-level <level>", "least severe log line").choices(logLevels).default("info"))
    .addHelpText(
      "after",
      `
Address: --listen; else the port of the environment variable OP_ENDPOINT (HOST:PORT, without a port: 80) on
all interfaces, as Phantoscope's operators do; else 127.0.0.1:52001. Identity echoes OP_ENDPOINT.
The port opens at once. Until the model is ready, Healthy is UNAVAILABLE and Execute waits.
SIGTERM or SIGINT lets calls in flight end; a second one stops at once. Exit code 0 then, but 130 (SIGINT) or
143 (SIGTERM) if the model was not ready yet.

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
  const readiness = createReadiness();
  let maxAbsError: number | undefined;
  const onEvent = (event: PoolEvent) => {
    if (event.kind === "ready-changed") readiness.set(event.ready);
    if (event.kind === "worker-ready") maxAbsError ??= event.maxAbsError;
    logPoolEvent(log, event);
  };
  const queue = { maxItems: options.maxQueuedItems, maxBytes: options.maxQueuedBytes };
  const { embedder, manifest, workers, why } = await openEmbedderForCli(options, queue, onEvent);
  const metrics = createMetrics(() => embedder.state());
  const server = await startServer({
    models: [
      {
        manifest,
        embedder,
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
    fetchBytes: createFetchImage(toFetchPolicy(options), nodeDial, (refusal) => {
      log.warn(refusal, "a URL was refused");
    }),
    listen,
    endpoint: opEndpoint,
    log,
  });
  let wasReady = false;
  stopOnSignals(options.graceMs, log, async (signal) => {
    const exitCode = wasReady ? 0 : 128 + constants.signals[signal];
    readiness.set(false);
    await server.close({ graceMs: options.graceMs });
    await embedder.dispose();
    return exitCode;
  });
  log.info({ url: server.localUrl, endpoint: server.endpoint }, "listening; the model is loading");

  try {
    await embedder.ready;
  } catch (error) {
    await server.close({ graceMs: 0 });
    throw EmbedError.from(error);
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
  const line = log.isLevelEnabled("info") ? tryItLine(server.localUrl) : undefined;
  // Not a line of the log, whose quotes would be escaped: this one is pasted.
  if (line) process.stderr.write(`Try it:\n${line}\n`);
}

function logPoolEvent(log: Log, event: PoolEvent): void {
  if (event.kind === "worker-ready") {
    const { startMs, maxAbsError } = event;
    log.debug({ startMs: Math.round(startMs), maxAbsError }, "a worker passed its self-check");
  }
  if (event.kind === "worker-lost") {
    const { error, restartInMs } = event;
    log.error({ reason: error.reason, cause: String(error.cause ?? ""), restartInMs }, error.message);
  }
}

/** The first signal lets calls in flight end, the second stops at once. `stop` gives the exit code. */
function stopOnSignals(graceMs: number, log: Log, stop: (signal: NodeJS.Signals) => Promise<number>): void {
  let asked = false;
  const onSignal = async (signal: NodeJS.Signals) => {
    if (asked) process.exit(1);
    asked = true;
    log.info({ signal, graceMs }, "stopping: calls in flight may end");
    process.exit(await stop(signal));
  };
  process.on("SIGTERM", onSignal);
  process.on("SIGINT", onSignal);
}
