import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeSmallModel, smallWeightsFile } from "../../../tools/models/small-model.ts";
import type { UrlModelSource } from "../../embed/model-manifest.ts";
import { convertInThread } from "./convert-in-thread.ts";

// Weights alone, converted with the topology that lies beside the manifest.

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "portico-convert-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function jobWith(change: Partial<UrlModelSource> = {}, filesFolder?: string) {
  const model = await describeSmallModel("https://example.org/small.h5", change);
  const moved = filesFolder === undefined ? model : { ...model, filesFolder };
  return { file: smallWeightsFile, source: model.sources[0], model: moved };
}

test("layers whose names differ from those in the file are found by the list beside the manifest", async () => {
  const { onnx } = await convertInThread(await jobWith());
  const { filesFolder } = await describeSmallModel("https://example.org/small.h5");
  const topology = await readFile(join(filesFolder!, "convolutions.keras2.topology.json"), "utf8");
  await writeFile(join(folder, "topology.json"), topology.replaceAll('"conv_first"', '"another"'));
  await writeFile(join(folder, "layer-names.json"), '{"conv_first": "another"}');
  const files = { topology: "topology.json", layerNames: "layer-names.json" };
  const renamed = await convertInThread(await jobWith(files, folder));
  expect(renamed.onnx.bytes).toBeGreaterThan(0.9 * onnx.bytes);
  await expect(convertInThread(await jobWith({ topology: "topology.json" }, folder))).rejects.toMatchObject({
    reason: "CONVERT_INVALID",
    message: `${smallWeightsFile}: /conv_first/conv_first_W_1:0: the topology has no layer "conv_first"`,
  });
});

test.each([
  ["no JSON", "cannot be read: Unexpected token"],
  ['{"conv_first": 1}', "expected an object of names of layers"],
  ["[[]]", "expected an object of names of layers"],
])("a broken list of names: %s", async (text, message) => {
  await writeFile(join(folder, "broken.json"), text);
  const error = await convertInThread(await jobWith({ layerNames: "broken.json" }, folder)).catch(
    (reason: unknown) => reason,
  );
  expect(error).toMatchObject({ reason: "CONFIG_INVALID", message: expect.stringContaining(message) });
});

test("what takes too long is ended", async () => {
  await expect(convertInThread(await jobWith(), { timeoutMs: 1 })).rejects.toMatchObject({
    reason: "CONVERT_INVALID",
    message: `${smallWeightsFile}: converting it took longer than 1 ms`,
  });
});

test("a signal ends it", async () => {
  const reason = new Error("enough");
  await expect(convertInThread(await jobWith(), { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
});
