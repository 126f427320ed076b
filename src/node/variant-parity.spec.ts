import { readFile } from "node:fs/promises";
import * as ort from "onnxruntime-web";
import { beforeAll, describe, expect, test } from "vitest";
import { calibrationPhotographs } from "../../tools/calibrate/calibration-pictures.ts";
import { compareVectors } from "../embed/compare-vectors.ts";
import { createPipeline, type Pipeline } from "../embed/pipeline.ts";
import { runSelfCheck } from "../embed/self-check.ts";
import { createOrtWasmEngine } from "../engine/ort-wasm.ts";
import { createSimdEngine } from "../engine/simd/simd-engine.ts";
import { createDecodeImage } from "../image/decode-image.ts";
import { defaultImageLimits } from "../image/pixels.ts";
import { createEmbedder } from "./create-embedder.ts";
import { findModelManifest, findModelVariant } from "./model/model-catalog.ts";
import { prepareModel } from "./model/model-store.ts";
import { readModel } from "./model/read-model.ts";
import { readVectorGolden } from "./model/vector-golden.ts";
import { loadCodecs } from "./pool/load-codecs.ts";
import { loadKernels } from "./pool/load-kernels.ts";

/** Photographs that int8 was not calibrated on; `npm run bench:variants` does more of them. */
const photographs = ["photo/locomotion-house-cat.jpg", "photo/allium-oreophilum.jpg"];
const resnet = await findModelManifest("resnet50");

interface Form {
  readonly pipelines: Readonly<Record<string, Pipeline>>;
}

/** The real models, each out of the same weights. */
async function open(variant: "fp16" | "int8", engines: readonly ("ort-wasm" | "simd")[]): Promise<Form> {
  const manifest = await findModelVariant("resnet50", variant);
  const onnx = await readModel(await prepareModel(manifest), manifest);
  const decode = createDecodeImage(await loadCodecs(), defaultImageLimits);
  ort.env.wasm.numThreads = 1;
  const pipelines: Record<string, Pipeline> = {};
  for (const name of engines) {
    const engine = name === "simd" ? createSimdEngine(await loadKernels()) : createOrtWasmEngine(ort);
    const session = await engine.load(onnx);
    pipelines[name] = createPipeline({ decode, preprocess: manifest.preprocess, session, now: () => 0 });
  }
  return { pipelines };
}

async function embed(pipeline: Pipeline, photograph: string): Promise<Float32Array> {
  const { bytes } = await readVectorGolden(photograph);
  const result = await pipeline(Uint8Array.from(bytes));
  if (!result.ok) throw result.error;
  return result.vector;
}

test("no photograph of the figures was calibrated on", () => {
  for (const photograph of photographs) expect(calibrationPhotographs).not.toContain(photograph);
});

describe("fp16", () => {
  let form: Form;
  beforeAll(async () => {
    form = await open("fp16", ["ort-wasm", "simd"]);
  });

  test.each(photographs)("%s: near Keras's vector, and the same on both engines", async (photograph) => {
    const { vector } = await readVectorGolden(photograph);
    const wasm = await embed(form.pipelines["ort-wasm"]!, photograph);
    const simd = await embed(form.pipelines.simd!, photograph);
    const { cosine, maxAbsError } = compareVectors(wasm, vector);
    const { photoMinCosine, maxAbsError: most = 0 } = resnet.variants?.fp16?.accuracy ?? {
      photoMinCosine: 1,
    };
    expect(cosine).toBeGreaterThanOrEqual(photoMinCosine);
    expect(maxAbsError).toBeLessThanOrEqual(most);
    // Both compute in float32, with the same weights.
    expect(compareVectors(wasm, simd).maxAbsError).toBeLessThanOrEqual(1e-6);
  });

  test("is never taken for fp32", async () => {
    const [photograph = ""] = photographs;
    const check = await readVectorGolden(photograph);
    await expect(runSelfCheck(form.pipelines.simd!, check, "simd")).rejects.toMatchObject({
      reason: "VECTOR_DRIFT",
    });
  });
});

describe("int8", () => {
  let form: Form;
  beforeAll(async () => {
    form = await open("int8", ["ort-wasm"]);
  });

  test.each(photographs)("%s: near Keras's vector", async (photograph) => {
    const { vector } = await readVectorGolden(photograph);
    const { cosine } = compareVectors(await embed(form.pipelines["ort-wasm"]!, photograph), vector);
    expect(cosine).toBeGreaterThanOrEqual(resnet.variants?.int8?.accuracy.photoMinCosine ?? 1);
  });

  test("is never taken for fp32, nor for fp16", async () => {
    const [photograph = ""] = photographs;
    const check = await readVectorGolden(photograph);
    for (const accuracy of [undefined, resnet.variants?.fp16?.accuracy]) {
      await expect(
        runSelfCheck(form.pipelines["ort-wasm"]!, { ...check, accuracy }, "ort-wasm"),
      ).rejects.toMatchObject({ reason: "VECTOR_DRIFT" });
    }
  });
});

test("a program gets int8 from the first engine that can, in its own vector space", async () => {
  const embedder = await createEmbedder({ variant: "int8", workers: 1 });
  try {
    const [photograph = ""] = photographs;
    const { bytes, vector } = await readVectorGolden(photograph);
    expect(embedder.engine).not.toBe("simd");
    const result = await embedder.embed(bytes);
    expect(result.vectorSpace).toBe(resnet.variants?.int8?.fingerprint);
    expect(result.vectorSpace).not.toBe(resnet.fingerprint);
    expect(compareVectors(result.vector, vector).cosine).toBeGreaterThan(0.998);
  } finally {
    await embedder.dispose();
  }
});

test("the simd engine refuses int8 in words, so that auto passes it over", async () => {
  const manifest = await findModelVariant("resnet50", "int8");
  const engine = createSimdEngine(await loadKernels());
  const file = await prepareModel(manifest);
  await expect(engine.load(await readFile(file))).rejects.toMatchObject({
    reason: "ENGINE_UNSUPPORTED",
    message: expect.stringMatching(
      /^simd: constant ".+": expected float32, float16 or int64 values, got u?int8; a quantised model needs another engine, such as ort-wasm$/,
    ),
  });
});
