import * as ort from "onnxruntime-web";
import { expect, test } from "vitest";
import type { NetworkRow } from "../../bench/networks.ts";
import { readRun } from "../../bench/results.ts";
import type { Engine } from "../../src/engine/engine.ts";
import { createOrtWasmEngine } from "../../src/engine/ort-wasm.ts";
import { createSimdEngine } from "../../src/engine/simd/simd-engine.ts";
import { loadKernels } from "../../src/node/pool/load-kernels.ts";
import { convertBuilds, convertNetwork, measureErrors, notYetOr, relativeError } from "./check-network.ts";
import { makeNetwork, type NamedGolden, readNetworkGoldens } from "./network-goldens.ts";

// Whole networks with seeded random weights against real Keras. `npm run networks` runs all of them, these are the ones
// that the converter must know; what it recorded as "not yet" must still be so, or docs/networks.md tells an old story.

const thorough = [
  ...["VGG16", "VGG19", "ResNet50", "ResNet50V2", "Xception", "InceptionV3"],
  ...["MobileNet", "MobileNetV2", "DenseNet121", "EfficientNetB0"],
];
/** More of what ResNet50 and ResNet50V2 have: one build on one engine. */
const deeper = ["ResNet101", "ResNet152", "ResNet101V2", "ResNet152V2"];

ort.env.wasm.numThreads = 1;
const engines = [createSimdEngine(await loadKernels()), createOrtWasmEngine(ort)];
const goldens = readNetworkGoldens();
const { report } = await readRun("networks");
const rowOf = (name: string): NetworkRow => report.find((row) => row.name === name)!;

test("each golden has a row in docs/networks.md, and each row a golden", () => {
  const names = [...goldens.values()].flat().map(({ name }) => name);
  expect(report.map(({ name }) => name).sort()).toEqual(names.sort());
});

test.each([...thorough, ...deeper])("%s: the vectors of two photographs differ clearly", (network) => {
  for (const { golden } of goldens.get(network)!) expect(golden.contrast).toBeGreaterThanOrEqual(0.03);
});

// Seconds on a quiet machine; other specs run beside it.
const timeout = 240_000;

test.each(thorough)("%s gives the vectors that Keras gives", { timeout }, async (network) => {
  await expectKerasVectors(goldens.get(network)!, engines);
});

test.each(deeper)("%s gives the vectors that Keras gives", { timeout }, async (network) => {
  await expectKerasVectors(goldens.get(network)!.slice(-1), engines.slice(0, 1));
});

test.each([7, 251, 498])(
  "a weight that is one hundredth off is found: number %i of DenseNet121",
  async (number) => {
    const build = goldens.get("DenseNet121")!.at(-1)!;
    const model = makeNetwork(build);
    const [name, { shape, data }] = [...model.weights][number]!;
    const weights = new Map(model.weights).set(name, { shape, data: data.map((value) => value * 1.01) });
    const group = { ...convertNetwork(build, { ...model, weights }), builds: [build] };
    const [error] = await measureErrors(engines[0]!, group, [0]);
    expect(error, name).toBeGreaterThan(3 * build.golden.tolerance);
  },
);

/** Each engine gets another photograph; the last one gets those that the others cannot run. */
async function expectKerasVectors(builds: readonly NamedGolden[], run: readonly Engine[]): Promise<void> {
  const groups = await notYetOr(() => convertBuilds(builds));
  if (typeof groups === "string") {
    expect(builds.map(({ name }) => rowOf(name).notYet)).toContain(groups);
    return;
  }
  for (const group of groups) {
    let pictures = group.builds[0]!.golden.vectors.map((_, number) => number);
    for (const engine of run) {
      const these = engine === run.at(-1) ? pictures : pictures.slice(0, 1);
      const errors = await notYetOr(() => measureErrors(engine, group, these));
      for (const [i, { name, golden }] of group.builds.entries()) {
        const recorded = rowOf(name).engines?.[engine.name];
        if (typeof errors === "string") expect([name, recorded]).toEqual([name, { notYet: errors }]);
        else {
          expect(errors[i], `${name} on ${engine.name}`).toBeLessThanOrEqual(golden.tolerance);
          expect([name, recorded]).toEqual([name, { error: expect.any(Number) }]);
        }
      }
      if (typeof errors !== "string") pictures = pictures.slice(1);
    }
  }
}

test.each([
  [[1, -4, 2], [1, -4, 2], 0],
  [[1, -4, 3], [1, -4, 2], 0.25],
  [[1, -4], [1, -4, 2], Number.NaN],
  [[Number.NaN, -4, 2], [1, -4, 2], Number.NaN],
])("the error of %j against %j is %d", (vector, expected, error) => {
  expect(relativeError(Float32Array.from(vector), Float32Array.from(expected))).toBe(error);
});
