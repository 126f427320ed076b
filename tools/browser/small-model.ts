import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { packageFile } from "../../src/node/package-file.ts";
import type { ModelFactsJson } from "../../src/web/package-assets.ts";
import { openMeanModel } from "../gpu/mean-model.ts";

/**
 * Writes the model of tools/gpu/mean-model.ts as a page takes it.
 * @returns what a host gives for a page that believes it to be resnet50
 */
export async function writeSmallModel(folder: string): Promise<Readonly<Record<string, string>>> {
  const { onnx: model, preprocess, selfCheck } = await openMeanModel();
  const onnx = typeof model === "function" ? await model() : model;
  const resnet = JSON.parse(await readFile(packageFile("models/resnet50/manifest.json"), "utf8"));
  const facts: ModelFactsJson = {
    manifest: {
      ...resnet,
      preprocess,
      identity: { ...resnet.identity, dimension: selfCheck.vector.length },
      onnx: { sha256: createHash("sha256").update(onnx).digest("hex"), bytes: onnx.length },
    },
    selfCheck: {
      name: selfCheck.name,
      bytes: Buffer.from(selfCheck.bytes).toString("base64"),
      vector: Buffer.from(new Uint8Array(selfCheck.vector.buffer)).toString("base64"),
      tolerance: selfCheck.tolerance,
    },
  };
  const factsFile = join(folder, "small-model.json");
  const onnxFile = join(folder, "small-model.onnx");
  await writeFile(factsFile, JSON.stringify(facts));
  await writeFile(onnxFile, onnx);
  return { "/resnet50.json": factsFile, "/model.onnx": onnxFile };
}
