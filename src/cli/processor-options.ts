import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { Command } from "commander";
import { EmbedError } from "../errors.ts";
import { findModelDescription } from "../node/model/model-catalog.ts";
import type { ProcessorSource } from "../node/pool/processor-protocol.ts";

/** What `portico serve` offers instead of a model. */
export interface ProcessorOptions {
  readonly processor?: string;
}

/** Options that say how vectors are made, and mean nothing to a processor: as commander names them, and their flags. */
const vectorOptions = {
  variant: "--variant",
  lazyModels: "--lazy-models",
  maxModelMemoryBytes: "--max-model-memory-bytes",
  engine: "--engine",
  threads: "--threads",
  gangs: "--gangs",
  page: "--page",
} as const;

export function addProcessorOptions(command: Command): Command {
  return command.option(
    "--processor <name>",
    "serve a processor, pictures in and pictures out, instead of a model's vectors: preview, what --model sees; or the path of a module (docs/custom-processor.md)",
  );
}

/**
 * Which processor the options name. A path has a slash or the ending of a module.
 * @param given whether an option stands on the command line
 * @param modelsDir folder of the user's own models; by default `resolveModelsDir()`
 * @throws EmbedError `CONFIG_INVALID` for a name that is neither, or options that contradict it; `MODEL_UNKNOWN`
 */
export async function toProcessorSource(
  processor: string,
  model: string,
  given: (option: string) => boolean,
  modelsDir?: string,
): Promise<ProcessorSource> {
  const isModule = /[/\\]|\.[cm]?[jt]s$/.test(processor);
  const flags = Object.entries({ ...vectorOptions, ...(isModule && { model: "--model" }) });
  const meaningless = flags.filter(([option]) => given(option)).map(([, flag]) => flag);
  if (meaningless.length > 0) {
    throw new EmbedError(
      "CONFIG_INVALID",
      `expected no ${meaningless.join(", ")} with --processor ${processor}: it makes no vectors`,
    );
  }
  if (isModule) {
    return { kind: "module", url: pathToFileURL(resolve(processor)).href, shown: processor };
  }
  if (processor !== "preview") {
    throw new EmbedError(
      "CONFIG_INVALID",
      `expected --processor preview, or the path of a module such as ./my-processor.ts, got "${processor}"`,
    );
  }
  const { preprocess } = await findModelDescription(model, modelsDir);
  return { kind: "preview", input: preprocess };
}
