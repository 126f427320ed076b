import { describe, expect, test } from "vitest";
import { compareVectors } from "../../embed/compare-vectors.ts";
import { createPipeline } from "../../embed/pipeline.ts";
import { createDecodeImage } from "../../image/decode-image.ts";
import { defaultImageLimits } from "../../image/pixels.ts";
import { findModelManifest } from "../../node/model/model-catalog.ts";
import { prepareModel } from "../../node/model/model-store.ts";
import { readModel } from "../../node/model/read-model.ts";
import { readVectorGolden } from "../../node/model/vector-golden.ts";
import { loadCodecs } from "../../node/pool/load-codecs.ts";
import { loadKernels } from "../../node/pool/load-kernels.ts";
import { createSimdEngine } from "./simd-engine.ts";

/** Photographs, and pictures of one colour, whose vectors are the hardest to meet. The command verify does all. */
const names = [
  ...["photo/locomotion-house-cat.jpg", "photo/allium-oreophilum.jpg", "photo/black-canyon.jpg"],
  ...["png/rgb-1x1.png", "png/rgb-2000x1.png", "png/grey-16bit.png", "webp/lossy.webp"],
];

describe.each([
  ["relaxed", true],
  ["plain", false],
] as const)("the %s kernels", (_, isRelaxed) => {
  test("give Keras's vectors of ResNet50, the same bits each time", async () => {
    const manifest = await findModelManifest("resnet50");
    const onnx = await readModel(await prepareModel(manifest), manifest);
    const engine = createSimdEngine(await loadKernels(isRelaxed));
    const decode = createDecodeImage(await loadCodecs(), defaultImageLimits);
    const pipelines = [];
    for (let count = 0; count < 2; count++) {
      const session = await engine.load(onnx);
      pipelines.push(createPipeline({ decode, preprocess: manifest.preprocess, session, now: () => 0 }));
    }
    for (const name of names) {
      const { bytes, vector, tolerance } = await readVectorGolden(name);
      const results = [];
      for (const pipeline of pipelines) results.push(await pipeline(Uint8Array.from(bytes)));
      const [first, second] = results;
      if (!first?.ok || !second?.ok) throw new Error(`${name} gave no vector`);
      expect(compareVectors(first.vector, vector).maxAbsError, name).toBeLessThanOrEqual(tolerance);
      expect(second.vector, name).toEqual(first.vector);
    }
  });
});
