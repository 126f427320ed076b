import type { ModelManifest } from "../../src/embed/model-manifest.ts";
import type { SelfCheck } from "../../src/embed/self-check.ts";
import type { WorkerSetup } from "../../src/node/pool/worker-protocol.ts";
import { greyPicture, openMeanModel } from "../gpu/mean-model.ts";
import { openTinyModel, readTinyPictures } from "./tiny-model.ts";

/** Models that load in a moment, each with a vector space of its own. */
export const testModelNames = ["tiny", "mean", "plain", "broken", "drifting"] as const;
export type TestModelName = (typeof testModelNames)[number];

export interface TestModel {
  readonly manifest: ModelManifest;
  readonly setup: WorkerSetup;
}

/** That which is loaded soonest. */
const engine = "simd" as const;

/** A grey picture by the model `plain`, which takes nothing away from the means of the channels. */
const plainGrey = (tone: number): SelfCheck => ({
  ...greyPicture(tone),
  vector: new Float32Array(3).fill(1 / Math.sqrt(3)),
});

/**
 * `tiny`: two residual blocks, after tf_keras. `mean` and `plain`: the mean of each channel, with and without ImageNet's taken
 * away. `broken` has no model in its file; the vectors of `drifting` are not those of its self-check.
 */
export async function openTestModel(name: TestModelName): Promise<TestModel> {
  const { manifest, setup } = await openTinyModel();
  const tiny = { ...setup, engine };
  if (name === "tiny") return { manifest, setup: tiny };
  const mean = { ...(await openMeanModel()), engine };
  const preprocess = name === "plain" ? { ...mean.preprocess, mode: "none" as const } : mean.preprocess;
  const ofMean = { ...mean, preprocess, ...(name === "plain" && { selfCheck: plainGrey(110) }) };
  const setups = {
    mean: ofMean,
    plain: ofMean,
    broken: { ...mean, onnx: new Uint8Array(64) },
    drifting: { ...mean, selfCheck: { ...greyPicture(110), vector: Float32Array.of(0, 0, 1) } },
  };
  return {
    manifest: {
      ...manifest,
      name,
      description: `${name}, for tests`,
      fingerprint: `sha256:${name}`,
      identity: { ...manifest.identity, name: `${name}_encoder`, dimension: 3 },
      preprocess,
      onnx: { ...manifest.onnx, bytes: mean.onnx instanceof Uint8Array ? mean.onnx.length : 0 },
    },
    setup: setups[name],
  };
}

/** Pictures whose vectors by a model that works are known. */
export async function readTestPictures(name: "tiny" | "mean" | "plain"): Promise<readonly SelfCheck[]> {
  if (name === "tiny") return readTinyPictures();
  const grey = name === "mean" ? greyPicture : plainGrey;
  return [20, 90, 150, 220].map(grey);
}
