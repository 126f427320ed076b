import { parseArgs } from "node:util";
import * as ort from "onnxruntime-web";
import { compareVectors } from "../src/embed/compare-vectors.ts";
import { type VariantName, variantNames } from "../src/embed/model-manifest.ts";
import { normaliseL2 } from "../src/embed/normalise.ts";
import type { EngineSession } from "../src/engine/engine.ts";
import { createOrtWasmEngine } from "../src/engine/ort-wasm.ts";
import { createSimdEngine } from "../src/engine/simd/simd-engine.ts";
import { createDecodeImage } from "../src/image/decode-image.ts";
import { defaultImageLimits } from "../src/image/pixels.ts";
import { findModelVariant } from "../src/node/model/model-catalog.ts";
import { prepareModel } from "../src/node/model/model-store.ts";
import { readModel } from "../src/node/model/read-model.ts";
import { listVectorGoldens, readVectorGolden } from "../src/node/model/vector-golden.ts";
import { loadCodecs } from "../src/node/pool/load-codecs.ts";
import { loadKernels } from "../src/node/pool/load-kernels.ts";
import { preprocess } from "../src/preprocess/preprocess.ts";
import { calibrationPhotographs } from "../tools/calibrate/calibration-pictures.ts";
import { orUsage, wholeNumbers } from "../tools/or-usage.ts";
import { neighbourOrder } from "./neighbour-order.ts";
import { recordRun } from "./results.ts";
import { type Spread, spreadOf } from "./statistics.ts";

/**
 * `npm run bench:variants`: how far each variant's vectors are from Keras's, on photographs that int8 was not calibrated on,
 * and what a picture takes on one thread, all variants in turns. Writes results/variants.json.
 */

export interface VariantsReport {
  readonly rounds: number;
  readonly variants: readonly VariantFigures[];
}

export interface VariantFigures {
  readonly variant: VariantName;
  readonly bytes: number;
  readonly photographs: readonly Photograph[];
  /** Photographs among which all others have the same order of nearness as by Keras's vectors. */
  readonly sameOrder: { readonly of: number; readonly same: number };
  /** By the engine's name; one that refuses the variant is not there. Tensor to features. */
  readonly times: Readonly<Record<string, Spread>>;
}

interface Photograph {
  readonly image: string;
  readonly cosine: number;
  readonly maxAbsError: number;
}

interface Picture {
  readonly image: string;
  readonly tensor: Float32Array;
  readonly vector: Float32Array;
}

interface Opened {
  readonly variant: VariantName;
  readonly engine: string;
  readonly session: EngineSession;
  readonly timesMs: number[];
}

export async function measureVariants({ rounds }: { readonly rounds: number }): Promise<VariantsReport> {
  ort.env.wasm.numThreads = 1;
  const pictures = await readPictures();
  const opened: Opened[] = [];
  const bytes = new Map<VariantName, number>();
  for (const variant of variantNames) {
    const manifest = await findModelVariant("resnet50", variant);
    const onnx = await readModel(await prepareModel(manifest), manifest);
    bytes.set(variant, onnx.length);
    const engines = [
      createOrtWasmEngine(ort),
      ...(variant === "int8" ? [] : [createSimdEngine(await loadKernels())]),
    ];
    for (const engine of engines) {
      opened.push({ variant, engine: engine.name, session: await engine.load(onnx), timesMs: [] });
    }
  }
  const { tensor } = pictures[0]!;
  for (const { session } of opened) await session.run(tensor, 1);
  for (let round = 0; round < rounds; round++) {
    // Each comes first, in the middle and last equally often.
    for (let turn = 0; turn < opened.length; turn++) {
      const { session, timesMs } = opened[(round + turn) % opened.length]!;
      const start = performance.now();
      await session.run(tensor, 1);
      timesMs.push(performance.now() - start);
    }
  }
  const variants: VariantFigures[] = [];
  for (const variant of variantNames) {
    const own = opened.filter((one) => one.variant === variant);
    variants.push({
      variant,
      bytes: bytes.get(variant) as number,
      ...(await judge(own[0]!.session, pictures)),
      times: Object.fromEntries(own.map(({ engine, timesMs }) => [engine, spreadOf(timesMs)])),
    });
  }
  return { rounds, variants };
}

/** Vectors of all photographs by onnxruntime-web, and figures of those that were not calibrated on. */
async function judge(session: EngineSession, pictures: readonly Picture[]) {
  const vectors: Float32Array[] = [];
  for (const { tensor } of pictures) vectors.push(normaliseL2(await session.run(tensor, 1)));
  const photographs = pictures.flatMap(({ image, vector }, index) =>
    calibrationPhotographs.includes(image) ? [] : [{ image, ...compareVectors(vectors[index]!, vector) }],
  );
  const expected = neighbourOrder(pictures.map(({ vector }) => vector));
  const same = neighbourOrder(vectors).filter((order, index) => order.join() === expected[index]!.join());
  return { photographs, sameOrder: { of: pictures.length, same: same.length } };
}

async function readPictures(): Promise<readonly Picture[]> {
  const { preprocess: spec } = await findModelVariant("resnet50", "fp32");
  const decode = createDecodeImage(await loadCodecs(), defaultImageLimits);
  const images = (await listVectorGoldens()).filter((image) => image.startsWith("photo/"));
  return Promise.all(
    images.map(async (image) => {
      const { bytes, vector } = await readVectorGolden(image);
      return { image, vector, tensor: preprocess((await decode(bytes)).pixels, spec) };
    }),
  );
}

if (import.meta.main) {
  const options = orUsage("npm run bench:variants -- [--rounds N]", () =>
    wholeNumbers(parseArgs({ options: { rounds: { type: "string", default: "20" } } }).values),
  );
  const { report } = await recordRun("variants", "npm run bench:variants", () => measureVariants(options));
  console.log(JSON.stringify(report, undefined, 2));
}
