import type { Command } from "commander";
import type { VariantName } from "../embed/model-manifest.ts";
import { labelOf } from "../embed/pick-variant.ts";
import { hashOf, nameSource, npmSourceOf } from "../node/model/model-cache.ts";
import { type ConvertibleManifest, type ConvertibleModel, findModel } from "../node/model/model-catalog.ts";
import {
  completeManifest,
  type Prepared,
  type PrepareOptions,
  prepareAndTell,
} from "../node/model/model-store.ts";
import { addCacheOption, addVariantOption, describeCache } from "./common-options.ts";
import { createPrepareProgress, type PrepareProgress } from "./prepare-progress.ts";
import { stderrProgress } from "./progress-output.ts";

interface PrepareFlags {
  readonly variant: VariantName;
  readonly cache?: string;
  readonly from?: string;
  readonly force?: boolean;
  readonly json?: true;
}

export function addPrepareCommand(program: Command): void {
  addCacheOption(addVariantOption(program.command("prepare")))
    .description(
      "fetch a model's weights, check their hash and convert them; done once, then nothing is fetched",
    )
    .argument("[model]", "model to prepare, a folder of models/", "resnet50")
    .option("--from <file>", "the weights, brought by hand, or the URL of a mirror that has them")
    .option("--force", "make it again, even if it is there")
    .option("--json", "print what is known of the model then as JSON")
    .addHelpText(
      "after",
      `
The weights, 29 to 171 MB, come from the sources that the model's manifest names, through npm or as npm is configured
(registry, proxy, credentials, certificates). Their hash is checked. Of all models but resnet50 nobody knew the hash of
the converted file beforehand: it is found out, kept in the cache and checked from then on (docs/custom-operator.md).
A variant is made from the same weights, beside the model itself; which to choose: docs/variants.md.
Without a network: fetch the file on another machine and give it with --from.
${describeCache()}`,
    )
    .action(prepareCommand);
}

async function prepareCommand(name: string, flags: PrepareFlags): Promise<void> {
  const model = await findModel(name, flags.variant);
  const interrupt = new AbortController();
  const onInterrupt = () => interrupt.abort();
  process.once("SIGINT", onInterrupt);
  try {
    const prepared = await prepareWithProgress(model, {
      ...(flags.cache !== undefined && { cacheDir: flags.cache }),
      ...(flags.from !== undefined && { from: flags.from }),
      ...(flags.force !== undefined && { force: flags.force }),
      signal: interrupt.signal,
    });
    process.stdout.write(flags.json ? preparedJson(prepared) : describePrepared(prepared));
  } finally {
    process.off("SIGINT", onInterrupt);
  }
}

/**
 * Prepares a model and shows the progress on stderr. Says nothing if the model is there.
 * @throws what `prepareModel` throws
 */
export function prepareWithProgress(model: ConvertibleModel, options: QuietOptions = {}): Promise<Prepared> {
  return withProgress(model, (onProgress) => prepareAndTell(model, { ...options, onProgress }));
}

/**
 * The manifest of a model with all facts. It is prepared, with progress on stderr, where they are not known without that.
 * @throws what `prepareModel` throws
 */
export function completeWithProgress(
  model: ConvertibleModel,
  options: QuietOptions = {},
): Promise<ConvertibleManifest> {
  return withProgress(model, (onProgress) => completeManifest(model, { ...options, onProgress }));
}

type QuietOptions = Omit<PrepareOptions, "onProgress">;

async function withProgress<T>(
  model: ConvertibleModel,
  work: (report: PrepareProgress["report"]) => Promise<T>,
): Promise<T> {
  const progress = createPrepareProgress(model, stderrProgress());
  try {
    return await work(progress.report);
  } finally {
    progress.stop();
  }
}

function describePrepared(prepared: Prepared): string {
  const { file, manifest } = prepared;
  const rows = [
    ["file", file],
    ["sha256", manifest.onnx.sha256],
    ["vector space", manifest.fingerprint],
    ...describeWeights(prepared),
  ];
  return `${labelOf(manifest)} is ready\n${rows.map(([key, value]) => `  ${key!.padEnd(13)} ${value}\n`).join("")}`;
}

function describeWeights({ manifest, record }: Prepared): string[][] {
  if (record) {
    const { from, sha256 } = record.weights;
    return [
      ["source", from],
      ["its sha256", sha256],
      ["licence", licenseOf(manifest)],
    ];
  }
  const source = npmSourceOf(manifest);
  if (!source) return [];
  return [
    ["source", nameSource(source).replace("npm package", "npm")],
    ["integrity", hashOf(source)],
    ["licence", source.license],
  ];
}

function licenseOf({ sources: [source] }: Prepared["manifest"]): string {
  return source && source.kind !== "file" ? source.license : "";
}

/** For a script that compares what two machines have. */
function preparedJson({ file, manifest, record }: Prepared): string {
  const { name, precision, onnx, fingerprint } = manifest;
  const facts = { model: name, variant: precision, file, onnx, vectorSpace: fingerprint };
  return `${JSON.stringify({ ...facts, ...(record && { weights: record.weights }) }, undefined, 2)}\n`;
}
