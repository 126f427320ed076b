import { compareVectors } from "../embed/compare-vectors.ts";
import type { EmbedResult } from "../embed/embedder.ts";
import { labelOf } from "../embed/pick-variant.ts";
import type { WarmUp } from "../embed/self-check.ts";
import type { EngineName } from "../engine/engine.ts";
import { engineTolerance } from "../engine/engine-tolerances.ts";
import { readShippedPhotographs } from "../node/model/vector-golden.ts";
import type { EngineOptions } from "./common-options.ts";
import { openEmbedderForCli, unboundedQueue } from "./open-embedder-for-cli.ts";
import type { VerifyRow } from "./verify-report.ts";

/** Nearest to Keras among the engines that run everywhere, and the one that it is compared with itself. */
const referenceEngine: EngineName = "ort-wasm";
const secondEngine: EngineName = "simd";

/** Largest difference of an element that rounding explains: that of the goldens. */
const tolerance = 1e-6;

interface EngineComparison {
  /** Says what is compared. */
  readonly title: string;
  readonly reference: EngineName;
  readonly rows: readonly VerifyRow[];
}

/**
 * What can be verified of a model of which no vector of Keras is known: that two engines, which share no code, give the same vectors
 * of norm 1. A file that was converted wrongly would pass.
 * @param images which of the photographs that ship
 */
export async function verifyByEngines(
  options: EngineOptions,
  images: readonly string[],
): Promise<EngineComparison> {
  const photographs = (await readShippedPhotographs()).filter(({ name }) => images.includes(name));
  const own = await embedAll(options, photographs);
  const other = own.engine === referenceEngine ? secondEngine : referenceEngine;
  const reference = await embedAll({ ...options, engine: other, threads: 1 }, photographs);
  const limits = { tolerance: engineTolerance(own.engine, tolerance) };
  const rows = photographs.map(({ name: image }, i): VerifyRow => {
    const [mine, theirs] = [own.results[i]!, reference.results[i]!];
    if (!mine.ok) return { image, ...limits, error: mine.error };
    if (!theirs.ok) return { image, ...limits, error: theirs.error };
    return { image, ...limits, ...compareVectors(mine.vector, theirs.vector) };
  });
  const title = `${own.label} on ${own.engine}, against ${reference.engine}: no vector of Keras is known of this model`;
  return { title, reference: reference.engine, rows };
}

/** One engine after the other, each in one worker, so that memory holds one of them. */
async function embedAll(options: EngineOptions, photographs: readonly WarmUp[]) {
  const { embedder, manifest } = await openEmbedderForCli({ ...options, workers: 1 }, unboundedQueue);
  try {
    await embedder.ready;
    const results: EmbedResult[] = [];
    // The pictures may be transferred to a worker, and are needed again.
    for (const { bytes } of photographs) results.push(await embedder.embed(bytes.slice()));
    return { label: labelOf(manifest), engine: embedder.engine() ?? referenceEngine, results };
  } finally {
    await embedder.dispose();
  }
}
