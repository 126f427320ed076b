import { setImmediate as letOthersRun } from "node:timers/promises";
import type { Embedding, StageTimings } from "../embed/embedder.ts";
import type { ModelManifest, VariantName } from "../embed/model-manifest.ts";
import { type Neighbour, nearestNeighbours } from "../embed/nearest-neighbours.ts";
import { labelOf } from "../embed/pick-variant.ts";
import { EmbedError } from "../errors.ts";
import type { MakeThumbnail, Thumbnail } from "../node/compare/make-thumbnail.ts";
import type { WorkerPool } from "../node/pool/worker-pool.ts";
import { showText } from "../node/show-text.ts";
import { aheadOf } from "../service/work-batch.ts";
import type { PoolOptions } from "./common-options.ts";
import type { CompareFailure, Comparison } from "./compare-page.ts";
import { createEmbedProgress, type EmbedProgress } from "./embed-progress.ts";
import type { EmbedSource } from "./embed-sources.ts";
import { mapInOrder } from "./map-in-order.ts";
import { openEmbedderForCli, unboundedQueue } from "./open-embedder-for-cli.ts";
import { stderrProgress } from "./progress-output.ts";

/** A model to compare, as openEmbedderForCli takes it. */
export interface ModelChoice {
  readonly model: string;
  readonly variant: VariantName;
}

export interface CompareModelsOptions extends PoolOptions {
  /** Neighbours of each picture. */
  readonly neighbours: number;
}

/** What the caller does with the pictures while they are embedded. */
export interface CompareHooks {
  readonly thumbnailOf: MakeThumbnail;
  /** Takes the thumbnail of a picture that the first model has embedded, in the order of the sources. */
  readonly store: (number: number, thumbnail: Thumbnail) => Promise<void>;
  /** Is told of each bar, so that a signal can end it. */
  readonly onProgress: (progress: EmbedProgress) => void;
}

/** What one model made of the pictures. */
interface ModelRun {
  readonly manifest: ModelManifest;
  readonly engine: string;
  readonly totalMs: number;
  readonly timings: StageTimings;
  /** By the number of the source; none where it failed. */
  readonly vectors: ReadonlyMap<number, Float32Array>;
}

/**
 * Embeds the pictures with one model after the other, so that only one is in memory, and finds the neighbours of those that all
 * have embedded. A picture that fails is not given to the next model.
 */
export async function compareModels(
  choices: readonly ModelChoice[],
  sources: readonly EmbedSource[],
  options: CompareModelsOptions,
  { thumbnailOf, store, onProgress }: CompareHooks,
): Promise<Comparison> {
  const failures: CompareFailure[] = [];
  const thumbnails = new Map<number, Omit<Thumbnail, "bytes">>();
  const runs: ModelRun[] = [];
  let left: readonly number[] = [...sources.keys()];
  for (const choice of choices) {
    const opened = await openModel(choice, left.length, options);
    onProgress(opened.progress);
    const run = await embedAll(opened, left, sources, failures, async (number, bytes) => {
      if (thumbnails.has(number)) return;
      const thumbnail = await thumbnailOf(bytes);
      thumbnails.set(number, { width: thumbnail.width, height: thumbnail.height });
      return () => store(number, thumbnail);
    });
    runs.push(run);
    left = left.filter((number) => run.vectors.has(number));
  }
  const models: Comparison["models"][number][] = [];
  for (const { manifest, engine, totalMs, timings, vectors } of runs) {
    models.push({
      label: labelOf(manifest),
      fingerprint: manifest.fingerprint,
      dimension: manifest.identity.dimension,
      engine,
      totalMs,
      ...timings,
      neighbours: await findNeighbours(vectors, left, manifest.identity.dimension, options.neighbours),
    });
  }
  const pictures = left.map((number) => ({
    name: (sources[number] as EmbedSource).name,
    thumbnail: number,
    ...(thumbnails.get(number) as Omit<Thumbnail, "bytes">),
  }));
  return { models, pictures, failures, count: Math.min(options.neighbours, Math.max(0, left.length - 1)) };
}

/** A picture's embedding, and what is to be done with it when its turn comes. */
interface Embedded {
  readonly number: number;
  readonly result: Embedding | EmbedError;
  readonly inTurn?: (() => Promise<void>) | undefined;
}

interface OpenModel {
  readonly embedder: WorkerPool;
  readonly manifest: ModelManifest;
  readonly progress: EmbedProgress;
}

async function openModel(
  choice: ModelChoice,
  total: number,
  options: CompareModelsOptions,
): Promise<OpenModel> {
  const { embedder, manifest } = await openEmbedderForCli({ ...options, ...choice }, unboundedQueue);
  return { embedder, manifest, progress: createEmbedProgress(total, stderrProgress()) };
}

/** @param onEmbedded is given a picture's own bytes; what it returns is called in the order of the sources */
async function embedAll(
  { embedder, manifest, progress }: OpenModel,
  numbers: readonly number[],
  sources: readonly EmbedSource[],
  failures: CompareFailure[],
  onEmbedded: (number: number, bytes: Uint8Array) => Promise<(() => Promise<void>) | undefined>,
): Promise<ModelRun> {
  const label = labelOf(manifest);
  const vectors = new Map<number, Float32Array>();
  const sums = { decodeMs: 0, preprocessMs: 0, inferMs: 0 };
  const embedOne = async (number: number): Promise<Embedded> => {
    try {
      const bytes = await (sources[number] as EmbedSource).read();
      // The embedder may give its own away.
      const result = await embedder.embed(bytes.slice());
      if (!result.ok) return { number, result: result.error };
      return { number, result, inTurn: await onEmbedded(number, bytes) };
    } catch (error) {
      return { number, result: EmbedError.from(error) };
    }
  };
  try {
    await embedder.ready;
    const startedMs = performance.now();
    progress.start(`${embedder.engine() ?? ""} (${label})`);
    for await (const { number, result, inTurn } of mapInOrder(numbers, aheadOf(embedder), embedOne)) {
      if (result instanceof EmbedError) {
        const { name } = sources[number] as EmbedSource;
        failures.push({ name, model: label, reason: result.reason, message: result.message });
        progress.say(`portico: ${showText(name, 1_000)}: ${label}: ${result.reason}: ${result.message}`);
      } else {
        await inTurn?.();
        vectors.set(number, result.vector);
        sums.decodeMs += result.timings.decodeMs;
        sums.preprocessMs += result.timings.preprocessMs;
        sums.inferMs += result.timings.inferMs;
      }
      progress.advance();
    }
    const done = Math.max(1, vectors.size);
    return {
      manifest,
      engine: embedder.engine() ?? "",
      totalMs: performance.now() - startedMs,
      timings: {
        decodeMs: sums.decodeMs / done,
        preprocessMs: sums.preprocessMs / done,
        inferMs: sums.inferMs / done,
      },
      vectors,
    };
  } finally {
    progress.stop();
    await embedder.dispose();
  }
}

async function findNeighbours(
  vectors: ReadonlyMap<number, Float32Array>,
  numbers: readonly number[],
  dimension: number,
  count: number,
): Promise<Neighbour[][]> {
  const rows = new Float32Array(numbers.length * dimension);
  for (const [row, number] of numbers.entries()) {
    rows.set(vectors.get(number) as Float32Array, row * dimension);
  }
  const all: Neighbour[][] = [];
  for (const query of numbers.keys()) {
    all.push(nearestNeighbours(rows, dimension, query, count));
    // Among many pictures each takes milliseconds; a signal must not wait for all of them.
    await letOthersRun();
  }
  return all;
}
