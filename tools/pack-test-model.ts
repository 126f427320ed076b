import { createHash } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { create } from "tar";
import { convertKeras } from "../src/convert/convert-keras.ts";
import { fingerprintVectorSpace } from "../src/convert/fingerprint.ts";
import { readTfjsLayers } from "../src/convert/keras-format/read-tfjs-layers.ts";
import type { NumberFormat } from "../src/convert/variants/number-format.ts";
import type { ModelManifest, NpmModelSource } from "../src/embed/model-manifest.ts";
import { type ConvertibleManifest, findModelManifest } from "../src/node/model/model-catalog.ts";
import { precisionOf } from "../src/node/model/model-convert.ts";

export interface TestModel {
  readonly name: string;
  /** Of TensorFlow.js's layers format, with one shard. */
  readonly modelJson: unknown;
  readonly shard: { readonly name: string; readonly bytes: Uint8Array };
  readonly outputLayer: string;
  /** Of the picture that it takes. */
  readonly side: number;
  /** Bytes that lie beside the model and mean nothing. */
  readonly padding: Uint8Array;
}

interface PackedModel {
  /** Says of the model and the tarball what is true. */
  readonly manifest: ModelManifest;
  readonly source: NpmModelSource;
}

/** Writes a model of the test's own into `folder` as an npm package, `NAME.tgz`, and describes it. */
export async function packTestModel(folder: string, model: TestModel): Promise<PackedModel> {
  const { modelJson, shard, outputLayer, side } = model;
  const files = join(folder, model.name, "package", "Model");
  await mkdir(files, { recursive: true });
  await writeFile(join(files, "model.json"), JSON.stringify(modelJson));
  await writeFile(join(files, shard.name), shard.bytes);
  await writeFile(join(files, "..", "padding.bin"), model.padding);
  const file = join(folder, `${model.name}.tgz`);
  const options = { gzip: { level: 1 }, cwd: join(folder, model.name), portable: true, mtime: new Date(0) };
  await create({ ...options, file }, ["package"]);
  const tarball = await readFile(file);

  const keras = await readTfjsLayers(modelJson, async () => shard.bytes);
  const converted = convertKeras(keras, { outputLayer, inputShape: [side, side, 3] });
  const resnet = await findModelManifest("resnet50");
  const source: NpmModelSource = {
    kind: "npm",
    package: `${model.name}_model`,
    version: "1.0.0",
    integrity: `sha512-${createHash("sha512").update(tarball).digest("base64")}`,
    bytes: tarball.length,
    path: "package/Model/model.json",
    license: "CC0-1.0",
  };
  const manifest: ModelManifest = {
    ...resnet,
    name: model.name,
    identity: { ...resnet.identity, dimension: converted.dimension },
    sources: [source],
    outputLayer,
    preprocess: { ...resnet.preprocess, width: side, height: side },
    onnx: {
      sha256: createHash("sha256").update(converted.onnx).digest("hex"),
      bytes: converted.onnx.byteLength,
    },
  };
  const hash = createHash("sha256");
  const fingerprint = fingerprintVectorSpace(keras.weights, converted.usedWeights, manifest, {
    update: (bytes) => void hash.update(bytes),
    digest: () => hash.digest(),
  });
  return { manifest: { ...manifest, fingerprint }, source };
}

/** What is true of another form of the model that `packTestModel` has packed. */
export async function describeVariant(
  { modelJson, shard }: TestModel,
  manifest: ModelManifest,
  format: Exclude<NumberFormat, { precision: "fp32" }>,
): Promise<ConvertibleManifest> {
  const keras = await readTfjsLayers(modelJson, async () => shard.bytes);
  const { outputLayer, preprocess } = manifest;
  const inputShape = [preprocess.height, preprocess.width, 3];
  const { onnx, usedWeights } = convertKeras(keras, { outputLayer, inputShape, format });
  const settings = { ...manifest, precision: precisionOf(format) };
  const hash = createHash("sha256");
  const fingerprint = fingerprintVectorSpace(keras.weights, usedWeights, settings, {
    update: (bytes) => void hash.update(bytes),
    digest: () => hash.digest(),
  });
  return {
    ...manifest,
    precision: format.precision,
    onnx: { sha256: createHash("sha256").update(onnx).digest("hex"), bytes: onnx.byteLength },
    fingerprint,
    accuracy: { minCosine: 0.9, photoMinCosine: 0.9 },
    ...(format.precision === "int8" && { int8Ranges: format.ranges }),
  };
}
