import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { findModelManifest } from "../node/model/model-catalog.ts";
import { describeModels } from "./doctor-model.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "portico-doctor-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function writeManifest(name: string, text: string): Promise<void> {
  await mkdir(join(folder, "models", name), { recursive: true });
  await writeFile(join(folder, "models", name, "manifest.json"), text);
}

test("a model of the user's own that is broken fails, and hides no other", async () => {
  const { variants: _, ...resnet } = await findModelManifest("resnet50");
  const source = { kind: "file", file: "my.h5", format: "keras-h5", bytes: 1, sha256: "0".repeat(64) };
  await writeManifest("gone", JSON.stringify({ ...resnet, name: "gone", sources: [source] }));
  await writeManifest("torn", "[]");
  const findings = await describeModels({
    model: "resnet50",
    cache: join(folder, "cache"),
    modelsDir: join(folder, "models"),
  });
  expect(findings.filter(({ state }) => state === "failed")).toEqual([
    {
      name: "model gone",
      state: "failed",
      value: `${join(folder, "models", "gone", "model.onnx")} is not there`,
    },
    {
      name: "model torn",
      state: "failed",
      value: "model manifest, the whole: expected an object, got []",
    },
  ]);
  expect(findings.map(({ name }) => name)).toContain("model resnet50");
});
