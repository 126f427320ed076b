import { describe, expect, test } from "vitest";
import { softwareGpuFlags } from "../../tools/browser/package-page.ts";
import { type EngineVerdict, runVectorSuite, summarise } from "../../tools/browser/vector-suite.ts";
import { requireTool } from "../../tools/require-tool.ts";
import { listVectorGoldens } from "../node/model/vector-golden.ts";

/**
 * ResNet50 inside a page of Chromium, against real Keras: all fixtures on the processor, one on a software GPU; its smaller forms on
 * the photographs that int8 was not calibrated on.
 */

const chromium = requireTool("chromium");
const itemTimeoutMs = 600_000;
const heldOut = ["allium-oreophilum", "dust-bowl-home", "locomotion-house-cat", "march-pastoral"].map(
  (name) => `photo/${name}.jpg`,
);

function expectAllRight(verdict: EngineVerdict, images: readonly string[]): void {
  // The figures of docs/parity.md.
  console.log(summarise(verdict));
  expect(verdict.vectors.filter(({ problem }) => problem !== "")).toEqual([]);
  expect(verdict.vectors.map(({ image }) => image).toSorted()).toEqual(images.toSorted());
}

describe.skipIf(!chromium)("vectors made in a page", () => {
  test("the engines on the processor: every fixture, all handed over at once", async () => {
    const images = await listVectorGoldens();
    expect(images.length).toBeGreaterThanOrEqual(209);
    const engines = ["simd", "ort-wasm"] as const;
    const options = { chromium: chromium as string, engines, atOnce: images.length, itemTimeoutMs };
    const verdicts = await runVectorSuite(options);
    expect(verdicts).toMatchObject(
      engines.map((engine) => ({ engine, adapter: undefined, isIsolated: true })),
    );
    for (const verdict of verdicts) expectAllRight(verdict, images);
  }, 900_000);

  test.each([
    { variant: "fp16", engines: ["simd", "ort-wasm"] },
    { variant: "int8", engines: ["ort-wasm"] },
  ] as const)("$variant on $engines: photographs that are new to it", async ({ variant, engines }) => {
    const options = { chromium: chromium as string, engines, variant, atOnce: 4, itemTimeoutMs };
    const verdicts = await runVectorSuite({ ...options, images: heldOut });
    expect(verdicts.map(({ engine }) => engine)).toEqual(engines);
    for (const verdict of verdicts) {
      expectAllRight(verdict, heldOut);
      // Another form than fp32 was run, whose vectors lie within 1e-6.
      for (const { maxAbs } of verdict.vectors) expect(maxAbs).toBeGreaterThan(1e-5);
    }
  });

  test("int8 is refused by simd before it takes a picture", async () => {
    const run = runVectorSuite({
      ...{ chromium: chromium as string, engines: ["simd"], variant: "int8" },
      ...{ images: heldOut, atOnce: 1, itemTimeoutMs },
    });
    await expect(run).rejects.toThrow("a quantised model needs another engine");
  });

  test("ort-webgpu on a software GPU: its self-check and two photographs", async () => {
    const [verdict] = await runVectorSuite({
      ...{ chromium: chromium as string, flags: softwareGpuFlags, engines: ["ort-webgpu"] },
      ...{ only: "photo/a", atOnce: 1, itemTimeoutMs },
    });
    expect(verdict).toMatchObject({
      adapter: "google swiftshader, software",
      vectors: [{ tolerance: 5e-6 }, { tolerance: 5e-6 }],
    });
    expectAllRight(verdict as EngineVerdict, [
      "photo/airplane-from-above.jpg",
      "photo/allium-oreophilum.jpg",
    ]);
  }, 900_000);
});
