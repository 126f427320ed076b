import { type Command, InvalidArgumentError, Option } from "commander";
import { defaultImageLimits } from "../image/pixels.ts";

/** Options that every command with an engine has. */
export interface EngineOptions {
  readonly model: string;
  readonly engine: "ort-wasm";
  readonly workers?: number;
  readonly threads: number;
  readonly maxPixels: number;
  readonly cache?: string;
}

export function addEngineOptions(command: Command): Command {
  return command
    .option("--model <name>", "model to load, a folder of models/", "resnet50")
    .addOption(new Option("--engine <name>", "what computes").choices(["ort-wasm"]).default("ort-wasm"))
    .option(
      "--workers <n>",
      "worker threads; by default the cores, at most 4, as far as memory holds",
      positiveInteger,
    )
    .option("--threads <n>", "engine threads inside each worker", positiveInteger, 1)
    .option(
      "--max-pixels <n>",
      "largest width x height of a picture that is decoded",
      positiveInteger,
      defaultImageLimits.maxPixels,
    )
    .option("--cache <dir>", "folder of prepared models (also PORTICO_CACHE)");
}

/** An option's value as an integer of at least 1. */
export function positiveInteger(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < 1) {
    throw new InvalidArgumentError(`expected an integer of at least 1, got "${text}"`);
  }
  return value;
}

/** A comma-separated list; may be given several times. */
export function appendList(text: string, before: readonly string[] = []): string[] {
  return [...before, ...text.split(",").filter((entry) => entry !== "")];
}
