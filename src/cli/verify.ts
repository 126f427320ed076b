import type { Command } from "commander";
import { compareVectors } from "../embed/compare-vectors.ts";
import type { Accuracy, ModelManifest } from "../embed/model-manifest.ts";
import { labelOf } from "../embed/pick-variant.ts";
import { nameReference, type VectorReference } from "../embed/self-check.ts";
import { engineTolerance } from "../engine/engine-tolerances.ts";
import { EmbedError } from "../errors.ts";
import { commandName } from "../node/command-name.ts";
import { findModelDescription } from "../node/model/model-catalog.ts";
import { listVectorGoldens, readModelGolden, shippedPhotographs } from "../node/model/vector-golden.ts";
import type { WorkerPool } from "../node/pool/worker-pool.ts";
import { aheadOf } from "../service/work-batch.ts";
import { addEngineOptions, type EngineOptions } from "./common-options.ts";
import { mapInOrder } from "./map-in-order.ts";
import { openEmbedderForCli, unboundedQueue } from "./open-embedder-for-cli.ts";
import { reportShortfall } from "./report-error.ts";
import { verifyByEngines } from "./verify-engines.ts";
import {
  describeHeader,
  describeRow,
  summarise,
  type VerifyLimits,
  type VerifyRow,
} from "./verify-report.ts";

export function addVerifyCommand(program: Command): void {
  addEngineOptions(program.command("verify"))
    .description("embed the fixtures and compare each vector with the one that real Keras gives")
    .option("--only <text>", "only fixtures whose path holds this text, for example photo/")
    .option("--json", "print the rows as JSON, all at the end")
    .addHelpText(
      "after",
      `
A fixture passes if no element of its vector is further from Keras's than its tolerance (1e-6). One that
differs, or that gives no vector at all, makes the exit code 1. With --engine ort-webgpu the tolerance is 5e-6.
With --variant it passes if the cosine to Keras's vector, and for fp16 the error too, are what the manifest states.

Of a model of which no vector of Keras is known, such as vgg19, two photographs are embedded by two engines that share
no code, and their vectors compared.

Examples:
  ${commandName()} verify --only photo/
  ${commandName()} verify --only photo/ --variant int8`,
    )
    .action(verifyCommand);
}

async function verifyCommand(options: EngineOptions & { only?: string; json?: true }): Promise<void> {
  const model = await findModelDescription(options.model, options.modelsDir);
  const known = await listVectorGoldens(model);
  const say = (line: string) => void (options.json || process.stdout.write(`${line}\n`));
  const images = (known.length > 0 ? known : shippedPhotographs).filter((image) =>
    image.includes(options.only ?? ""),
  );
  if (images.length === 0) {
    throw new EmbedError(
      "CONFIG_INVALID",
      `--only: expected a part of a fixture's path, got "${options.only}", which none has`,
    );
  }
  const width = Math.max(...images.map((image) => image.length));
  if (known.length === 0) {
    const { title, reference, rows } = await verifyByEngines(options, images);
    for (const line of [title, describeHeader(width), ...rows.map((row) => describeRow(row, width))]) {
      say(line);
    }
    return conclude(rows, `${reference}'s`, options.json, say);
  }
  const { embedder, manifest } = await openEmbedderForCli(options, unboundedQueue);
  const { reference } = await readModelGolden(model, images[0]!);
  const rows: VerifyRow[] = [];
  try {
    await embedder.ready;
    say(`${labelOf(manifest)} on ${embedder.engine()}, against ${describeReference(reference)}`);
    say(describeHeader(width));
    const verify = (image: string) => verifyImage(embedder, manifest, image);
    for await (const row of mapInOrder(images, aheadOf(embedder), verify)) {
      rows.push(row);
      say(describeRow(row, width));
    }
  } finally {
    await embedder.dispose();
  }
  conclude(rows, nameReference(reference), options.json, say);
}

function conclude(
  rows: readonly VerifyRow[],
  reference: string,
  json: true | undefined,
  say: (line: string) => void,
): void {
  const { summary, shortfall } = summarise(rows, reference);
  say(summary);
  if (json) process.stdout.write(`${JSON.stringify(rows, undefined, 2)}\n`);
  if (shortfall) reportShortfall(shortfall);
}

async function verifyImage(embedder: WorkerPool, manifest: ModelManifest, image: string): Promise<VerifyRow> {
  const { accuracy } = manifest;
  const { bytes, vector, tolerance: golden } = await readModelGolden(manifest, image);
  const result = await embedder.embed(bytes);
  const limits: VerifyLimits = accuracy
    ? { tolerance: accuracy.maxAbsError ?? Number.POSITIVE_INFINITY, minCosine: minCosineOf(image, accuracy) }
    : { tolerance: engineTolerance(embedder.engine() ?? "ort-wasm", golden) };
  if (result.ok) return { image, ...limits, ...compareVectors(result.vector, vector) };
  const { reason, message } = result.error;
  return { image, ...limits, error: { reason, message } };
}

function describeReference(reference: VectorReference = "keras"): string {
  return reference === "keras"
    ? "real Keras"
    : "the vectors of its import, which Portico made itself (portico import --golden has Keras make them)";
}

function minCosineOf(image: string, { minCosine, photoMinCosine }: Accuracy): number {
  return image.startsWith("photo/") ? photoMinCosine : minCosine;
}
