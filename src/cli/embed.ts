import { constants } from "node:os";
import type { Command } from "commander";
import type { Embedder } from "../embed/embedder.ts";
import { EmbedError } from "../errors.ts";
import { commandName } from "../node/command-name.ts";
import { lazyFetchImage } from "../node/fetch/lazy-fetch-image.ts";
import { showText } from "../node/show-text.ts";
import { aheadOf } from "../service/work-batch.ts";
import { addEngineOptions, type EngineOptions } from "./common-options.ts";
import { createEmbedProgress } from "./embed-progress.ts";
import { type EmbedSource, listSources } from "./embed-sources.ts";
import { addFetchOptions, type FetchOptions, toFetchPolicy } from "./fetch-options.ts";
import { mapInOrder } from "./map-in-order.ts";
import { openEmbedderForCli, unboundedQueue } from "./open-embedder-for-cli.ts";
import { stderrProgress } from "./progress-output.ts";
import { reportShortfall } from "./report-error.ts";
import { type EmbedRow, openVectorWriter } from "./write-vectors.ts";

interface EmbedCommandOptions extends EngineOptions, FetchOptions {
  readonly out?: string;
}

export function addEmbedCommand(program: Command): void {
  addFetchOptions(addEngineOptions(program.command("embed")))
    .description("embed pictures: one L2-normalised vector for each file, URL, or file below a folder")
    .argument("<source...>", "FILE, DIR or URL")
    .option("--out <path>", "x.npy (float32, one row per source) or x.jsonl; JSON lines on stdout without it")
    .addHelpText(
      "after",
      `
Formats: JPEG, PNG, WebP, GIF, BMP, TIFF (of several frames or pages the first), told by their content, whatever
the name. A DIR stands for every file below it, sorted by path; hidden files and folders are left out, and
everything else counts: a file that is no picture is a source that fails.
A source that fails gives one line on stderr, an error in .jsonl, a row of NaN in .npy (with x.npy.jsonl
naming every row), and exit code 1; the others are embedded all the same. --out is written as x.npy.partial
and renamed at the end.

Examples:
  ${commandName()} embed photo.jpg
  ${commandName()} embed photos/ https://example.com/a.png --out vectors.npy`,
    )
    .action(embedCommand);
}

async function embedCommand(names: string[], options: EmbedCommandOptions): Promise<void> {
  const { fetchBytes } = lazyFetchImage(toFetchPolicy(options), {});
  const sources = await listSources(names, fetchBytes);
  if (sources.length === 0)
    throw new EmbedError(
      "CONFIG_INVALID",
      `expected at least one picture, found none in ${names.join(", ")}`,
    );
  const { embedder, manifest } = await openEmbedderForCli(options, unboundedQueue);
  const writer = await openVectorWriter(options.out, sources.length, manifest.identity.dimension);
  const output = stderrProgress();
  // JSON lines on the terminal would tear a bar apart.
  const isTTY = output.isTTY && options.out !== undefined;
  const progress = createEmbedProgress(sources.length, { ...output, isTTY });
  const cleanUp = () => {
    progress.stop();
    writer.discard();
  };
  const onSignal = (signal: NodeJS.Signals) => {
    cleanUp();
    process.exit(128 + constants.signals[signal]);
  };
  process.once("SIGINT", onSignal).once("SIGTERM", onSignal);

  let failed = 0;
  try {
    await embedder.ready;
    progress.start(embedder.engine() ?? "");
    const ahead = aheadOf(embedder);
    for await (const row of mapInOrder(sources, ahead, (source) => embedSource(embedder, source))) {
      if (row.error) {
        failed += 1;
        progress.say(
          `portico: ${showText(row.source, 1_000)}: ${row.error.reason}: ${showText(row.error.message, 2_000)}`,
        );
      }
      await writer.write(row);
      progress.advance();
    }
    await writer.close();
  } finally {
    cleanUp();
    await embedder.dispose();
  }
  if (failed > 0) reportShortfall(`${failed} of ${sources.length} sources failed; the lines above say why`);
}

async function embedSource(embedder: Embedder, { name, read }: EmbedSource): Promise<EmbedRow> {
  try {
    const result = await embedder.embed(await read());
    return result.ok ? { source: name, vector: result.vector } : { source: name, error: result.error };
  } catch (error) {
    return { source: name, error: EmbedError.from(error) };
  }
}
