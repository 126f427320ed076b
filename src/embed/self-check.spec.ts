import { describe, expect, test } from "vitest";
import type { EngineName } from "../engine/engine.ts";
import { engineTolerance } from "../engine/engine-tolerances.ts";
import { EmbedError } from "../errors.ts";
import type { Accuracy } from "./model-manifest.ts";
import type { Pipeline } from "./pipeline.ts";
import { runSelfCheck, type SelfCheck } from "./self-check.ts";

const check: SelfCheck = {
  name: "photo/a.jpg",
  bytes: new Uint8Array(1),
  vector: Float32Array.of(0, 1),
  tolerance: 1e-6,
};

/** Gives the known vector, but one element is off by this much. */
const pipelineOff =
  (error: number): Pipeline =>
  async () => ({
    ...{ ok: true, vector: Float32Array.of(error, 1), format: "jpeg", width: 1, height: 1 },
    timings: { decodeMs: 0, preprocessMs: 0, inferMs: 0 },
  });

describe("a vector is right", () => {
  test.each<[EngineName, number]>([
    ["simd", 1e-6],
    ["ort-native", 1e-6],
    ["ort-webgpu", 5e-6],
  ])("by %s within %d", async (engine, tolerance) => {
    const inside = tolerance * 0.9;
    await expect(runSelfCheck(pipelineOff(inside), check, engine)).resolves.toBeCloseTo(inside, 12);
    await expect(runSelfCheck(pipelineOff(tolerance * 1.1), check, engine)).rejects.toMatchObject({
      reason: "VECTOR_DRIFT",
      message: expect.stringMatching(
        `^expected the embedding of photo/a.jpg within ${tolerance} of Keras's, got a largest absolute error of `,
      ),
    });
  });
});

test("a vector that is not known is made all the same", async () => {
  const unknown = { name: check.name, bytes: check.bytes };
  await expect(runSelfCheck(pipelineOff(0.5), unknown, "simd")).resolves.toBeUndefined();
  const error = new EmbedError("ENGINE_FAILED", "expected features with a finite norm above 0, got 0");
  await expect(runSelfCheck(async () => ({ ok: false, error }), unknown, "simd")).rejects.toBe(error);
});

test("a vector that Portico itself made is named so", async () => {
  const imported: SelfCheck = { ...check, reference: "import" };
  await expect(runSelfCheck(pipelineOff(0.5), imported, "simd")).rejects.toMatchObject({
    reason: "VECTOR_DRIFT",
    message:
      "expected the embedding of photo/a.jpg within 0.000001 of that of its import, got a largest absolute error of 0.5",
  });
});

test("a golden that allows more than an engine's own tolerance holds", () => {
  expect(engineTolerance("ort-webgpu", 1e-5)).toBe(1e-5);
  expect(engineTolerance("simd", 2e-6)).toBe(2e-6);
});

describe("a variant's vector is right", () => {
  // An element that is off by e gives a cosine of 1 / sqrt(1 + e^2).
  const accuracy = { minCosine: 0.9, photoMinCosine: 0.998 };
  test.each<[string, number, Accuracy, string | undefined]>([
    ["near enough", 0.05, accuracy, undefined],
    [
      "too far",
      0.07,
      accuracy,
      "expected the embedding of photo/a.jpg with a cosine of at least 0.998 to Keras's, got 0.99755",
    ],
    [
      "no number",
      Number.NaN,
      accuracy,
      "expected the embedding of photo/a.jpg with a cosine of at least 0.998 to Keras's, got NaN",
    ],
    ["within its error", 9e-4, { ...accuracy, maxAbsError: 1e-3 }, undefined],
    [
      "beyond its error",
      2 ** -9,
      { ...accuracy, maxAbsError: 1e-3 },
      "expected the embedding of photo/a.jpg within 0.001 of Keras's, got a largest absolute error of 0.001953125",
    ],
  ])("%s", async (_, off, stated, message) => {
    const checked = runSelfCheck(pipelineOff(off), { ...check, accuracy: stated }, "ort-wasm");
    if (message === undefined) await expect(checked).resolves.toBeCloseTo(off, 6);
    else {
      await expect(checked).rejects.toMatchObject({
        reason: "VECTOR_DRIFT",
        message: expect.stringContaining(message),
      });
    }
  });
});
