import type { FileModelSource } from "../embed/model-manifest.ts";
import { commandName } from "../node/command-name.ts";
import type { ImportedModel } from "../node/import/import-model.ts";
import type { EngineReport } from "../node/import/import-self-check.ts";
import { modelFile } from "../node/model/model-cache.ts";
import { quoteForShell } from "../node/model/model-prepare-command.ts";
import { showText } from "../node/show-text.ts";

const formats: Readonly<Record<FileModelSource["format"], string>> = {
  "keras-3": "a .keras archive",
  "keras-h5": "a whole Keras model in HDF5",
  "keras-h5-weights": "Keras weights in HDF5, with their topology",
  "tfjs-layers": "TensorFlow.js's layers format",
  onnx: "an ONNX model",
};

/** What was imported, what was inferred and why, and how to serve it. */
export function describeImport({ manifest, why, engines, keras }: ImportedModel, modelsDir?: string): string {
  const { name, preprocess, identity, sources, outputLayer, pooling, fingerprint } = manifest;
  const source = sources[0] as FileModelSource;
  const rows = [
    ["file", modelFile("", manifest)],
    ["source", `${source.file}, ${formats[source.format]}`],
    ["vector space", fingerprint],
    ["output", `${outputLayer} (${why.output})`],
    ["pooling", `${pooling} (${why.pooling})`],
    ["dimension", String(identity.dimension)],
    ["size", `${preprocess.height}x${preprocess.width} (${why.size})`],
    ["preprocess", `${preprocess.mode} (${why.mode})`],
    ["interpolation", preprocess.interpolation],
    ...engines.map((report) => ["self-check", describeEngine(report)]),
    ["reference", describeReference(keras)],
  ];
  const folder = modelsDir === undefined ? "" : ` --models-dir ${quoteForShell(modelsDir)}`;
  return `${name} is ready
${rows.map(([key, value]) => `  ${key!.padEnd(13)} ${showText(value!, 2_000)}\n`).join("")}Serve it:
  ${commandName()} serve --model ${name}${folder}
`;
}

function describeReference(keras: ImportedModel["keras"]): string {
  if (keras && "madeBy" in keras) {
    return `the vectors of ${keras.madeBy}, largest error ${keras.maxAbsError.toExponential(2)}`;
  }
  return "the vectors of this import, by ort-wasm; --golden has Keras make them";
}

function describeEngine({ engine, maxAbsError, refused }: EngineReport): string {
  if (refused !== undefined) return `${engine}: not used: ${refused}`;
  if (maxAbsError === 0 || maxAbsError === undefined) return `${engine}: ok, two photographs`;
  return `${engine}: ok, differs by ${maxAbsError.toExponential(2)}`;
}
