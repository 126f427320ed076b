import { constants } from "node:os";
import type { Command } from "commander";
import { labelOf } from "../embed/pick-variant.ts";
import { commandName } from "../node/command-name.ts";
import { createMakeThumbnail } from "../node/compare/make-thumbnail.ts";
import { findModel } from "../node/model/model-catalog.ts";
import {
  addPoolOptions,
  appendList,
  integerBetween,
  type PoolOptions,
  positiveInteger,
} from "./common-options.ts";
import { listPictures, parseModels } from "./compare-inputs.ts";
import { compareModels } from "./compare-models.ts";
import {
  describeOverlaps,
  pageEnd,
  pageStart,
  pageSummary,
  pictureRow,
  storedThumbnail,
} from "./compare-page.ts";
import type { EmbedProgress } from "./embed-progress.ts";
import { openOutputFile } from "./output-file.ts";
import { reportShortfall } from "./report-error.ts";

interface CompareOptions extends PoolOptions {
  readonly models: readonly string[];
  readonly dir: string;
  readonly out: string;
  readonly neighbours: number;
  readonly maxPictures: number;
}

/** More are no neighbours any more, and make the page long. */
const mostNeighbours = 20;

/**
 * Each picture takes 5 to 10 KB of the page, and 8 KB of memory for each model of 2048 numbers. Finding the neighbours takes a time
 * that grows with the square: for 2,000 pictures up to half a minute a model, less than a second each for 200.
 */
export const defaultMaxPictures = 2_000;

export function addCompareCommand(program: Command): void {
  addPoolOptions(
    program
      .command("compare")
      .description(
        "embed a folder with several models, and write a page with their nearest neighbours side by side",
      )
      .requiredOption(
        "--models <list>",
        "2 to 4 models, as NAME or NAME:VARIANT, with commas between",
        appendList,
      )
      .requiredOption("--dir <dir>", "folder of pictures, with everything below it")
      .option("--out <path>", "the page, one HTML file that needs nothing else", "compare.html")
      .option("--neighbours <n>", "how many of each picture", integerBetween(1, mostNeighbours), 5)
      .option("--max-pictures <n>", "most pictures that are compared", positiveInteger, defaultMaxPictures),
  )
    .addHelpText(
      "after",
      `
Models are worked with one after the other, so that memory holds one. Distances are exact: every picture is
compared with every other. The page shows them as Milvus gives them for L2 (squared), and as cosines.
A picture that a model cannot embed is left out of the comparison and listed on the page and on stderr; the exit
code is 1 then.

Examples:
  ${commandName()} compare --models resnet50,resnet50:int8 --dir photos/
  ${commandName()} compare --models vgg16,resnet50 --dir photos/ --neighbours 10 --out vgg-resnet.html`,
    )
    .action(compareCommand);
}

async function compareCommand(options: CompareOptions): Promise<void> {
  const choices = parseModels(options.models);
  const sources = await listPictures(options.dir, options.maxPictures, options.out);
  // Found out now, not after the first model's work.
  const models = await Promise.all(
    choices.map(({ model, variant }) => findModel(model, variant, options.modelsDir)),
  );
  const file = await openOutputFile(options.out);
  let progress: EmbedProgress | undefined;
  const onSignal = (signal: NodeJS.Signals) => {
    progress?.stop();
    file.discard();
    process.exit(128 + constants.signals[signal]);
  };
  process.once("SIGINT", onSignal).once("SIGTERM", onSignal);
  try {
    await file.append(pageStart(models.map(labelOf)));
    const thumbnailOf = await createMakeThumbnail({ maxPixels: options.maxPixels });
    const comparison = await compareModels(choices, sources, options, {
      thumbnailOf,
      store: (number, thumbnail) => file.append(storedThumbnail(number, thumbnail)),
      onProgress: (now) => {
        progress = now;
      },
    });
    await file.append(pageSummary(comparison));
    for (const query of comparison.pictures.keys()) await file.append(pictureRow(comparison, query));
    await file.append(pageEnd);
    await file.commit();
    const lines = [
      `${options.out}: ${comparison.pictures.length} of ${sources.length} pictures`,
      ...describeOverlaps(comparison),
    ];
    process.stdout.write(`${lines.join("\n")}\n`);
    const { length: failed } = comparison.failures;
    if (failed > 0)
      reportShortfall(`${failed} of ${sources.length} pictures were left out; the lines above say why`);
  } finally {
    file.discard();
  }
}
