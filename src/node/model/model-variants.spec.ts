import { createHash } from "node:crypto";
import { copyFile, mkdir, readFile, stat, truncate } from "node:fs/promises";
import { dirname, join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { failure, filesInCache, registry, useModelRegistry } from "../../../tools/model-registry.ts";
import { describeVariant } from "../../../tools/pack-test-model.ts";
import { modelFile } from "./model-cache.ts";
import { type ConvertibleManifest, findModelVariant } from "./model-catalog.ts";
import { type PrepareEvent, prepareModel } from "./model-store.ts";
import { readModel } from "./read-model.ts";

// Variants of the tiny model, out of the same tarball; what all preparing has in common is tested with the model itself.

useModelRegistry();

let fp16: ConvertibleManifest;
let int8: ConvertibleManifest;

beforeEach(async () => {
  const tensors = { "activation/Relu": [0, 6] } as const;
  fp16 = await describeVariant(registry.model, registry.manifest, { precision: "fp16" });
  int8 = await describeVariant(registry.model, registry.manifest, { precision: "int8", ranges: tensors });
});

const from = () => join(registry.work, "tiny.tgz");
const prepare = (manifest: ConvertibleManifest, force = false) =>
  prepareModel(manifest, { cacheDir: registry.cacheDir, from: from(), force });

describe("preparing a variant", () => {
  test("makes each a file of its own, the same bytes each time", async () => {
    const names = [];
    for (const manifest of [registry.manifest, fp16, int8]) {
      const file = await prepare(manifest);
      expect(file).toBe(modelFile(registry.cacheDir, manifest));
      const bytes = await readFile(file);
      expect(createHash("sha256").update(bytes).digest("hex")).toBe(manifest.onnx.sha256);
      await prepare(manifest, true);
      expect(Buffer.compare(await readFile(file), bytes)).toBe(0);
      names.push(file.slice(registry.cacheDir.length + 1));
    }
    expect(names.map((name) => name.split("/").at(-1))).toEqual([
      "model.onnx",
      "model-fp16.onnx",
      "model-int8.onnx",
    ]);
    expect((await filesInCache()).toSorted()).toEqual(names.toSorted());
  });

  test("fetches nothing once it is there", async () => {
    await prepare(int8);
    const events: PrepareEvent[] = [];
    await prepareModel(int8, { cacheDir: registry.cacheDir, onProgress: (event) => events.push(event) });
    expect(events).toEqual([]);
  });

  test("one that was cut short is made again", async () => {
    const file = await prepare(int8);
    await truncate(file, 100);
    await prepare(int8);
    expect((await stat(file)).size).toBe(int8.onnx.bytes);
  });
});

describe("what is not what the manifest says", () => {
  test.each<
    [
      string,
      (manifest: ConvertibleManifest) => ConvertibleManifest,
      (manifest: ConvertibleManifest) => string,
    ]
  >([
    [
      "another hash",
      (manifest) => ({ ...manifest, onnx: { ...manifest.onnx, sha256: "0".repeat(64) } }),
      ({ onnx }) => `onnx.sha256 ${"0".repeat(64)}, got ${onnx.sha256}`,
    ],
    [
      "the fingerprint of the model itself",
      (manifest) => ({ ...manifest, fingerprint: registry.manifest.fingerprint }),
      ({ fingerprint }) => `fingerprint ${registry.manifest.fingerprint}, got ${fingerprint}`,
    ],
  ])("%s is refused, and nothing is kept", async (_, change, message) => {
    const error = await failure(prepare(change(int8)));
    expect(error.reason).toBe("MODEL_CORRUPT");
    expect(error.message).toBe(
      `${from()}, converted for model tiny int8: the manifest expects ${message(int8)}`,
    );
    expect(await filesInCache()).toEqual([]);
  });

  test("other ranges make another vector space", async () => {
    const int8Ranges = { "activation/Relu": [0, 7] } as const;
    const error = await failure(prepare({ ...int8, int8Ranges }));
    expect(error.message).toContain(`the manifest expects fingerprint ${int8.fingerprint}, got sha256:`);
  });

  test("int8 without ranges", async () => {
    const { int8Ranges: _, ...without } = int8;
    const error = await failure(prepare(without));
    expect([error.reason, error.message]).toEqual([
      "CONFIG_INVALID",
      "model tiny: expected ranges for its variant int8, got none",
    ]);
  });

  test("no file of one form is taken for another", async () => {
    await prepare(fp16);
    const wrong = modelFile(registry.cacheDir, registry.manifest);
    await mkdir(dirname(wrong), { recursive: true });
    await copyFile(modelFile(registry.cacheDir, fp16), wrong);
    const error = await failure(readModel(wrong, registry.manifest));
    expect(error.reason).toBe("MODEL_CORRUPT");
    await copyFile(wrong, modelFile(registry.cacheDir, fp16));
    await readModel(modelFile(registry.cacheDir, fp16), fp16);
  });

  test("the hint mends the variant", async () => {
    const file = await prepare(int8);
    await truncate(file, 10);
    const error = await failure(readModel(file, int8));
    expect(error.message).toMatch(/; mend it with: portico prepare tiny --variant int8 --cache \S+ --force$/);
  });
});

test("a variant of a model that ships has its ranges with it", async () => {
  const { int8Ranges = {}, precision } = await findModelVariant("resnet50", "int8");
  expect(precision).toBe("int8");
  expect(Object.keys(int8Ranges)).toHaveLength(67);
});

test.each(["int4", "__proto__"])("an unknown variant, %s", async (variant) => {
  const error = await failure(findModelVariant("resnet50", variant as "int8"));
  expect([error.reason, error.message]).toEqual([
    "CONFIG_INVALID",
    `expected variant fp32, fp16, int8, got "${variant}"`,
  ]);
});
