import { parseArgs } from "node:util";
import { createPipeline, type Pipeline } from "../src/embed/pipeline.ts";
import type { EngineSession } from "../src/engine/engine.ts";
import { createDecodeImage } from "../src/image/decode-image.ts";
import { defaultImageLimits } from "../src/image/pixels.ts";
import { findModelManifest } from "../src/node/model/model-catalog.ts";
import { loadCodecs } from "../src/node/pool/load-codecs.ts";
import { preprocess } from "../src/preprocess/preprocess.ts";
import { orUsage, wholeNumbers } from "../tools/or-usage.ts";
import { openEngines, readResnet50, type Skipped } from "./open-engines.ts";
import { readPhotographs } from "./photographs.ts";
import { enginesSection } from "./report/engines-section.ts";
import { type Spread, spreadOf } from "./statistics.ts";

/**
 * Engines on one thread and one picture at a time, in turns in one process: the engine alone (tensor to features),
 * and the whole pipeline (bytes of a photograph to vector).
 */

export interface EnginesReport {
  readonly rounds: number;
  /** The first is what the others are compared with. */
  readonly engines: readonly EngineTimes[];
  readonly skipped: readonly Skipped[];
}

export interface EngineTimes {
  readonly name: string;
  /** From the model's bytes to a session. */
  readonly loadMs: number;
  readonly engine: Spread;
  readonly pipeline: Spread;
}

export async function measureEngines({ rounds }: { readonly rounds: number }): Promise<EnginesReport> {
  const [onnx, manifest, codecs, photos] = await Promise.all([
    readResnet50(),
    findModelManifest("resnet50"),
    loadCodecs(),
    readPhotographs(),
  ]);
  const decode = createDecodeImage(codecs, defaultImageLimits);
  const { engines, skipped } = await openEngines();
  const timed: (Sample & { readonly name: string; readonly loadMs: number })[] = [];
  for (const { name, engine } of engines) {
    const start = performance.now();
    const session = await engine.load(onnx);
    const loadMs = performance.now() - start;
    const pipeline = createPipeline({
      decode,
      preprocess: manifest.preprocess,
      session,
      now: () => performance.now(),
    });
    timed.push({ name, loadMs, session, pipeline, engineMs: [], pipelineMs: [] });
  }
  const { pixels } = await decode(photos[0]!);
  const tensor = preprocess(pixels, manifest.preprocess);
  for (const sample of timed) await runOnce(sample, tensor, photos[0]!);
  for (const { engineMs, pipelineMs } of timed) engineMs.length = pipelineMs.length = 0;
  for (let round = 0; round < rounds; round++) {
    // Each comes first, in the middle and last equally often.
    for (let turn = 0; turn < timed.length; turn++) {
      await runOnce(timed[(round + turn) % timed.length]!, tensor, photos[round % photos.length]!);
    }
  }
  return {
    rounds,
    engines: timed.map(({ name, loadMs, engineMs, pipelineMs }) => ({
      name,
      loadMs,
      engine: spreadOf(engineMs),
      pipeline: spreadOf(pipelineMs),
    })),
    skipped,
  };
}

interface Sample {
  readonly session: EngineSession;
  readonly pipeline: Pipeline;
  readonly engineMs: number[];
  readonly pipelineMs: number[];
}

async function runOnce(sample: Sample, tensor: Float32Array, photo: Uint8Array): Promise<void> {
  const { session, pipeline, engineMs, pipelineMs } = sample;
  const start = performance.now();
  await session.run(tensor, 1);
  const between = performance.now();
  const result = await pipeline(photo);
  const end = performance.now();
  if (!result.ok) throw result.error;
  engineMs.push(between - start);
  pipelineMs.push(end - between);
}

if (import.meta.main) {
  const options = orUsage("npm run bench:engines -- [--rounds N]", () =>
    wholeNumbers(parseArgs({ options: { rounds: { type: "string", default: "24" } } }).values),
  );
  console.log(enginesSection(await measureEngines(options)));
}
