import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildPackageForPages, removeFolder, softwareGpuFlags } from "../../tools/browser/package-page.ts";
import { type EngineVerdict, runVectorSuite, summarise } from "../../tools/browser/vector-suite.ts";
import { requireTool } from "../../tools/require-tool.ts";
import { listVectorGoldens, readVectorGolden } from "../node/model/vector-golden.ts";

/**
 * ResNet50 inside a page of Chromium, against real Keras: all fixtures with `simd`, every vector of them with onnxruntime-web; its
 * smaller forms on the photographs that int8 was not calibrated on.
 */

const chromium = requireTool("chromium");
const itemTimeoutMs = 600_000;
const heldOut = ["allium-oreophilum", "dust-bowl-home", "locomotion-house-cat", "march-pastoral"].map(
  (name) => `photo/${name}.jpg`,
);

/** One fixture of each vector: those of the same vector have the same pixels, with which an engine does the same again. */
async function listDistinct(images: readonly string[]): Promise<string[]> {
  const byVector = new Map<string, string>();
  for (const image of images) {
    const vector = (await readVectorGolden(image)).vector.join();
    if (!byVector.has(vector)) byVector.set(vector, image);
  }
  return [...byVector.values()];
}

function expectAllRight(verdict: EngineVerdict, images: readonly string[]): void {
  // The figures of docs/parity.md.
  console.log(summarise(verdict));
  expect(verdict.vectors.filter(({ problem }) => problem !== "")).toEqual([]);
  expect(verdict.vectors.map(({ image }) => image).toSorted()).toEqual(images.toSorted());
}

describe.skipIf(!chromium)("vectors made in a page", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await buildPackageForPages();
  });
  afterAll(() => removeFolder(folder));

  test.each([
    { engine: "simd", which: "every fixture", least: 209 },
    { engine: "ort-wasm", which: "every vector of the fixtures", least: 89 },
  ] as const)(
    "$engine: $which, all handed over at once",
    async ({ engine, least }) => {
      const all = await listVectorGoldens();
      const images = engine === "simd" ? all : await listDistinct(all);
      expect(images.length).toBeGreaterThanOrEqual(least);
      const options = { chromium: chromium as string, folder, engines: [engine], itemTimeoutMs };
      const verdicts = await runVectorSuite({ ...options, images, atOnce: images.length });
      expect(verdicts).toMatchObject([{ engine, adapter: undefined, isIsolated: true }]);
      for (const verdict of verdicts) expectAllRight(verdict, images);
    },
    900_000,
  );

  test.each([
    { variant: "fp16", engines: ["simd", "ort-wasm"] },
    { variant: "int8", engines: ["ort-wasm"] },
  ] as const)("$variant on $engines: photographs that are new to it", async ({ variant, engines }) => {
    const options = { chromium: chromium as string, folder, engines, variant, atOnce: 4, itemTimeoutMs };
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
      ...{ chromium: chromium as string, folder, engines: ["simd"], variant: "int8" },
      ...{ images: heldOut, atOnce: 1, itemTimeoutMs },
    });
    await expect(run).rejects.toThrow("a quantised model needs another engine");
  });

  test("ort-webgpu on a software GPU: another photograph than that of its self-check", async () => {
    const image = "photo/airplane-from-above.jpg";
    const [verdict] = await runVectorSuite({
      ...{ chromium: chromium as string, folder, flags: softwareGpuFlags, engines: ["ort-webgpu"] },
      ...{ images: [image], atOnce: 1, itemTimeoutMs },
    });
    expect(verdict).toMatchObject({
      adapter: "google swiftshader, software",
      vectors: [{ tolerance: 5e-6 }],
    });
    expectAllRight(verdict as EngineVerdict, [image]);
  }, 900_000);
});
