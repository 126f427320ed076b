import { constants } from "node:os";
import { setTimeout } from "node:timers/promises";
import type { Command } from "commander";
import { isComplete, type ModelManifest } from "../embed/model-manifest.ts";
import { EmbedError } from "../errors.ts";
import { imageFormats } from "../image/pixels.ts";
import { createFetchImage } from "../node/fetch/fetch-image.ts";
import { shutdownMaxMs } from "../node/http/close-gracefully.ts";
import { resolveListenAddress } from "../node/http/listen-address.ts";
import { findModelDescription } from "../node/model/model-catalog.ts";
import { createLog } from "../node/observe/log.ts";
import { createMetrics } from "../node/observe/metrics.ts";
import { otherForms, pageModel } from "../node/page/page-model.ts";
import type { PoolEvent } from "../node/pool/worker-pool.ts";
import { startServer } from "../node/start-server.ts";
import { createReadiness } from "../service/readiness.ts";
import { toAccess } from "./access-options.ts";
import { toConnectionGates, toConnectionLimits } from "./connection-options.ts";
import { toFetchPolicy } from "./fetch-options.ts";
import { toLoadLimits, toQueueLimits } from "./load-options.ts";
import { logPoolEvent } from "./log-pool-event.ts";
import { toObservability } from "./observability-options.ts";
import { openEmbedderForCli } from "./open-embedder-for-cli.ts";
import { packageVersion } from "./package-version.ts";
import { toProcessorSource } from "./processor-options.ts";
import { addServeOptions, type ServeOptions } from "./serve-options.ts";
import { serveProcessor } from "./serve-processor.ts";
import { serveWarnings } from "./serve-warnings.ts";
import { cutOffExitCode, stopOnSignals } from "./stop-on-signals.ts";
import { toTlsFiles } from "./tls-options.ts";
import { tryItLine } from "./try-it-line.ts";

export function addServeCommand(program: Command): void {
  const command = addServeOptions(program.command("serve"));
  command.action(async (options: ServeOptions) => {
    const { processor, model } = options;
    if (processor === undefined) return serveCommand(options);
    const given = (option: string) => command.getOptionValueSource(option) === "cli";
    return serveProcessor(options, await toProcessorSource(processor, model, given));
  });
}

async function serveCommand(options: ServeOptions): Promise<void> {
  const startedAt = performance.now();
  const log = createLog(options.logLevel);
  const opEndpoint = process.env.OP_ENDPOINT || undefined;
  const listen = resolveListenAddress(options.listen, opEndpoint);
  const tls = toTlsFiles(options);
  const fetchPolicy = toFetchPolicy(options);
  const access = await toAccess(options, log);
  const observability = await toObservability(options, log);
  for (const warning of serveWarnings(options)) log.warn(warning);
  const readiness = createReadiness();
  let first: Extract<PoolEvent, { kind: "worker-ready" }> | undefined;
  const onEvent = (event: PoolEvent) => {
    if (event.kind === "ready-changed") readiness.set(event.ready);
    if (event.kind === "worker-ready") first ??= event;
    metrics.onPoolEvent(event);
    logPoolEvent(log, event);
  };
  const { embedder, manifest, workers, why } = await openEmbedderForCli(
    options,
    toQueueLimits(options),
    onEvent,
  );
  const build = {
    version: packageVersion(),
    engine: embedder.engine,
    model: manifest.name,
    vectorSpace: manifest.fingerprint,
  };
  const metrics = createMetrics(build, () => embedder.state());
  const server = await startServer({
    models: [
      {
        manifest,
        // A server that stops is not healthy, though its workers are.
        embedder: metrics.observeEmbedder({
          ...embedder,
          get concurrency() {
            return embedder.concurrency;
          },
          isReady: readiness.current,
        }),
        onResult: metrics.onResult,
        engine: embedder.engine,
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
    ...(options.page === "on" && {
      page: {
        models: [pageModel(manifest, options.cache)],
        forms: await findOtherForms(manifest, options),
      },
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
    const endsAt = performance.now() + shutdownMaxMs(options.graceMs);
    const callsCutOff = await server.close({ graceMs: options.graceMs, hurry });
    if (callsCutOff > 0) log.warn({ calls: callsCutOff }, "calls in flight were cut off");
    // A collector that hangs takes no more than what is left of the grace.
    const closed = Promise.all([embedder.dispose(), observability.close()]);
    await Promise.race([closed, setTimeout(Math.max(0, endsAt - performance.now()))]);
    return { exitCode: exitCode === 0 && callsCutOff > 0 ? cutOffExitCode : exitCode, callsCutOff };
  });
  log.info({ url: server.localUrl, endpoint: server.endpoint }, "listening; the model is loading");

  try {
    await embedder.ready;
  } catch (error) {
    // Whoever stops the server ends the process too, with an exit code of its own.
    if (readiness.isEnded()) return;
    await server.close({ graceMs: 0 });
    const { reason, message } = EmbedError.from(error);
    log.fatal({ reason }, message);
    throw error;
  }
  wasReady = true;
  const facts = {
    url: server.localUrl,
    model: manifest.name,
    ...(manifest.precision !== "fp32" && { variant: manifest.precision }),
    engine: embedder.engine(),
    workers:
      embedder.engine() === "ort-webgpu"
        ? `1 for the GPU, ${workers} decode (${why})`
        : `${workers} (${why})`,
    threads: options.threads,
    startMs: Math.round(performance.now() - startedAt),
    // Of the first worker's self-check.
    maxAbsError: first?.maxAbsError,
    ...(first?.adapter && { adapter: first.adapter }),
  };
  log.info(facts, "ready");
  // With tokens it would be refused, and a token is not for a terminal's history.
  const mayTry = log.isLevelEnabled("info") && !access.tokens;
  const line = mayTry ? tryItLine(server.localUrl, { tls }) : undefined;
  // Not a line of the log, whose quotes would be escaped: this one is pasted.
  if (line) process.stderr.write(`Try it:\n${line}\n`);
}

/** Of a model whose weights nobody saw before there is only the one form. */
async function findOtherForms(manifest: ModelManifest, { modelsDir, cache }: ServeOptions) {
  const model = await findModelDescription(manifest.name, modelsDir);
  return isComplete(model) ? otherForms(model, manifest.precision, cache) : [];
}
