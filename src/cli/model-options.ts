import { type Command, Option } from "commander";
import { type VariantName, variantNames } from "../embed/model-manifest.ts";
import { EmbedError } from "../errors.ts";
import { appendOne, positiveInteger } from "./common-options.ts";

/** Which models a server has, and when they are in memory. */
export interface ModelOptions {
  readonly model?: readonly string[];
  readonly variant?: readonly string[];
  readonly lazyModels?: true;
  readonly maxModelMemoryBytes?: number;
}

/** What is served unless options say otherwise. */
const defaultModel = "resnet50";

export function addModelOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        "--model <name>",
        "model to serve, one of models/ or an imported one; may be given several times: Operator serves the first",
      )
        .env("PORTICO_MODEL")
        .argParser(appendOne)
        .default(undefined, defaultModel),
    )
    .addOption(
      new Option(
        "--variant <name>",
        "fp32: Keras's vectors; fp16: half the bytes; int8: a quarter; each a vector space of its own; of one model among several: MODEL=NAME",
      )
        .argParser(appendOne)
        .default(undefined, "fp32"),
    )
    .option("--lazy-models", "load the models but the first when they are first called, not at the start")
    .addOption(
      new Option(
        "--max-model-memory-bytes <n>",
        "memory of all loaded models together; where a call needs more, idle models but the first make room",
      )
        .argParser(positiveInteger)
        .default(undefined, "what the machine or the cgroup has, less 512 MiB"),
    );
}

/** A model that options name, and in which form. */
export interface ModelChoice {
  readonly name: string;
  readonly variant: VariantName;
}

/**
 * The models to serve, in order.
 * @throws EmbedError `CONFIG_INVALID` for a model that is named twice, several in one name, and a variant that is none or nobody's
 */
export function toModelChoices(options: ModelOptions): readonly [ModelChoice, ...ModelChoice[]] {
  const names = options.model ?? [defaultModel];
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) {
    throw new EmbedError("CONFIG_INVALID", `expected each --model once, got ${twice} twice`);
  }
  const list = names.find((name) => name.includes(","));
  if (list !== undefined) {
    const several = list.split(",").map((name) => `--model ${name.trim()}`);
    throw new EmbedError(
      "CONFIG_INVALID",
      `expected the name of one model in --model or PORTICO_MODEL, got "${list}"; for several give ${several.join(" ")}`,
    );
  }
  const variants = new Map<string, VariantName>();
  for (const text of options.variant ?? []) {
    const [name, variant] = readVariant(text, names);
    if (variants.has(name)) {
      throw new EmbedError("CONFIG_INVALID", `expected one --variant for ${name}, got two`);
    }
    variants.set(name, variant);
  }
  const [first, ...others] = names.map((name) => ({ name, variant: variants.get(name) ?? "fp32" }));
  return [first as ModelChoice, ...others];
}

/**
 * The model of a server that has one.
 * @throws EmbedError `CONFIG_INVALID` if options name several
 */
export function toOneModel({ model = [defaultModel] }: ModelOptions): string {
  if (model.length === 1) return model[0] as string;
  throw new EmbedError("CONFIG_INVALID", `expected one --model with --processor, got ${model.join(", ")}`);
}

function readVariant(text: string, names: readonly string[]): [name: string, variant: VariantName] {
  const [, name, variant] = /^(?:(.*)=)?(.*)$/.exec(text) as unknown as [string, string | undefined, string];
  if (!(variantNames as readonly string[]).includes(variant)) {
    throw new EmbedError("CONFIG_INVALID", `expected --variant ${variantNames.join(", ")}, got "${variant}"`);
  }
  if (name === undefined && names.length > 1) {
    throw new EmbedError(
      "CONFIG_INVALID",
      `expected --variant MODEL=NAME with several models, for example ${names[1]}=${variant}, got "${text}"`,
    );
  }
  if (name !== undefined && !names.includes(name)) {
    throw new EmbedError(
      "CONFIG_INVALID",
      `expected --variant of one of the models ${names.join(", ")}, got "${text}"`,
    );
  }
  return [name ?? (names[0] as string), variant as VariantName];
}
