import { SingleBar } from "cli-progress";
import type { Command } from "commander";
import type { Embedder } from "../embed/embedder.ts";
import { EmbedError } from "../errors.ts";
import { createFetchImage } from "../node/fetch-image.ts";
import { addEngineOptions, type EngineOptions } from "./common-options.ts";
import { type EmbedSource, listSources } from "./embed-sources.ts";
import { addFetchOptions, type FetchOptions, toFetchPolicy } from "./fetch-options.ts";
import { openEmbedderForCli } from "./open-embedder-for-cli.ts";
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
A source that fails gives one line on stderr, an error in .jsonl, a row of NaN in .npy (with x.npy.jsonl
naming every row), and exit code 1; the others are embedded all the same.`,
    )
    .action(embedCommand);
}

async function embedCommand(names: string[], options: EmbedCommandOptions): Promise<void> {
  const fetchBytes = createFetchImage(toFetchPolicy(options));
  const sources = await listSources(names, fetchBytes);
  if (sources.length === 0)
    throw new EmbedError(
      "CONFIG_INVALID",
      `expected at least one picture, found none in ${names.join(", ")}`,
    );
  const { embedder, manifest, workers } = await openEmbedderForCli(options);
  const writer = await openVectorWriter(options.out, sources.length, manifest.identity.dimension);
  const bar = new SingleBar({
    format: "{bar} {value}/{total} pictures, {eta_formatted} left",
    noTTYOutput: false,
  });
  let failed = 0;
  try {
    await embedder.ready;
    if (options.out !== undefined) bar.start(sources.length, 0);
    for await (const row of embedInOrder(embedder, sources, workers * 2)) {
      if (row.error) {
        failed += 1;
        process.stderr.write(`portico: ${row.source}: ${row.error.reason}: ${row.error.message}\n`);
      }
      await writer.write(row);
      bar.increment();
    }
  } finally {
    bar.stop();
    await writer.close();
    await embedder.dispose();
  }
  if (failed > 0) {
    throw new EmbedError(
      "REQUEST_INVALID",
      `${failed} of ${sources.length} sources failed; the lines above say why`,
    );
  }
}

/** Rows in the order of the sources, with at most `ahead` pictures under way. */
async function* embedInOrder(
  embedder: Embedder,
  sources: readonly EmbedSource[],
  ahead: number,
): AsyncGenerator<EmbedRow> {
  const underWay: Promise<EmbedRow>[] = [];
  for (const source of sources) {
    underWay.push(embedSource(embedder, source));
    if (underWay.length >= ahead) yield await (underWay.shift() as Promise<EmbedRow>);
  }
  for (const row of underWay) yield await row;
}

async function embedSource(embedder: Embedder, { name, read }: EmbedSource): Promise<EmbedRow> {
  try {
    const result = await embedder.embed(await read());
    return result.ok ? { source: name, vector: result.vector } : { source: name, error: result.error };
  } catch (error) {
    return { source: name, error: EmbedError.from(error) };
  }
}
