import { constants } from "node:os";
import type { Command } from "commander";
import { isComplete, type ModelManifest } from "../embed/model-manifest.ts";
import { EmbedError } from "../errors.ts";
import { findModelDescription } from "../node/model/model-catalog.ts";
import { otherForms, pageModel, pageModelNames } from "../node/page/page-model.ts";
import { startServer } from "../node/start-server.ts";
import { toOneModel } from "./model-options.ts";
import { type FindModelToServe, openModels } from "./open-models.ts";
import { toProcessorSource } from "./processor-options.ts";
import { describeError } from "./report-error.ts";
import { addServeOptions, type ServeOptions } from "./serve-options.ts";
import { serveProcessor } from "./serve-processor.ts";
import { readServeSettings } from "./serve-settings.ts";
import { stopServerOnSignals } from "./stop-server.ts";
import { tryItLine } from "./try-it-line.ts";

export function addServeCommand(program: Command): void {
  const command = addServeOptions(program.command("serve"));
  command.action(async (options: ServeOptions) => {
    const { processor, modelsDir } = options;
    if (processor === undefined) return serve(options);
    const given = (option: string) => command.getOptionValueSource(option) === "cli";
    return serveProcessor(options, await toProcessorSource(processor, toOneModel(options), given, modelsDir));
  });
}

/** Serves until a signal ends the process. @throws EmbedError why it cannot be started, or the first model be had */
export async function serve(options: ServeOptions, find?: FindModelToServe): Promise<void> {
  const startedAt = performance.now();
  const { log, toServer, closeObservability } = await readServeSettings(options);
  const opened = await openModels(options, log, find);
  const { manifest, models, metrics, readiness, operatorReadiness } = opened;
  const [{ engine }] = models;
  const { shared, loadForUrls } = toServer(metrics);
  const server = await startServer({
    ...shared,
    models,
    readiness,
    operatorReadiness,
    ...(options.page === "on" && {
      page: {
        models: pageModelNames.includes(manifest.name) ? [pageModel(manifest, options.cache)] : [],
        forms: await findOtherForms(manifest, options),
      },
    }),
  });
  let wasReady = false;
  stopServerOnSignals(log, options, {
    server,
    endReadiness: opened.endReadiness,
    close: () => Promise.all([opened.close(), closeObservability()]),
    exitCode: (signal) => (wasReady ? 0 : 128 + constants.signals[signal]),
  });
  log.info({ url: server.localUrl, endpoint: server.endpoint }, "listening; the model is loading");

  try {
    await opened.load();
  } catch (error) {
    // Whoever stops the server ends the process too, with an exit code of its own.
    if (readiness.isEnded()) return;
    await server.close({ graceMs: 0 });
    const failure = EmbedError.from(error);
    log.fatal({ model: manifest.name, reason: failure.reason }, describeError(failure));
    throw failure;
  }
  wasReady = true;
  const first = opened.first();
  const { workers, why } = opened;
  const facts = {
    url: server.localUrl,
    model: manifest.name,
    ...(manifest.precision !== "fp32" && { variant: manifest.precision }),
    // Of all models, where there are several.
    ...(models.length > 1 && {
      models: Object.fromEntries(models.map((one) => [one.manifest.name, one.state()])),
    }),
    engine: engine(),
    workers: engine() === "ort-webgpu" ? `1 for the GPU, ${workers} decode (${why})` : `${workers} (${why})`,
    threads: options.threads,
    startMs: Math.round(performance.now() - startedAt),
    // Of the first worker's self-check.
    maxAbsError: first?.maxAbsError,
    ...(first?.adapter && { adapter: first.adapter }),
  };
  log.info(facts, "ready");
  // Now that nobody waits for the start.
  loadForUrls();
  // With tokens it would be refused, and a token is not for a terminal's history.
  const mayTry = log.isLevelEnabled("info") && !shared.tokens;
  const line = mayTry ? tryItLine(server.localUrl, { tls: shared.tls }) : undefined;
  // Not a line of the log, whose quotes would be escaped: this one is pasted.
  if (line) process.stderr.write(`Try it:\n${line}\n`);
}

/** Of a model whose weights nobody saw before there is only the one form. */
async function findOtherForms(manifest: ModelManifest, { modelsDir, cache }: ServeOptions) {
  const model = await findModelDescription(manifest.name, modelsDir);
  return isComplete(model) ? otherForms(model, manifest.precision, cache) : [];
}
