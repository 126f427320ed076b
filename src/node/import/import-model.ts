import { writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { EncoderReasons } from "../../convert/infer/infer-encoder.ts";
import { compareVectors } from "../../embed/compare-vectors.ts";
import type { ModelManifest } from "../../embed/model-manifest.ts";
import { parseModelManifest } from "../../embed/parse-model-manifest.ts";
import { EmbedError } from "../../errors.ts";
import { importedModelFile } from "../model/model-cache.ts";
import { resolveModelsDir } from "../model/models-folder.ts";
import { checkNewName, fillModelFolder } from "./import-folder.ts";
import { type ImportedGolden, importedTolerance, writeImportedGoldens } from "./import-golden.ts";
import { type ImportFileOptions, importInThread } from "./import-in-thread.ts";
import type { ImportedFile } from "./import-job.ts";
import { checkImport, type EngineReport } from "./import-self-check.ts";
import { runKeras } from "./run-keras.ts";

export interface ImportOptions extends ImportFileOptions {
  readonly name: string;
  /** Folder of the user's models; by default `resolveModelsDir()`. */
  readonly modelsDir?: string;
  /** A program that runs Python, whose Keras is to make the model's vectors. Default: Portico's own are kept. */
  readonly python?: string;
  /** Replaces a model of this name that was imported before. Default: false. */
  readonly force?: boolean;
}

export interface ImportedModel {
  /** With the folder in which it lies. */
  readonly manifest: ModelManifest;
  /** Why it is as it is. */
  readonly why: EncoderReasons;
  readonly engines: readonly EngineReport[];
  /** Of Keras, if it was asked for its vectors. */
  readonly keras?: KerasReport;
}

export type KerasReport =
  /** Largest absolute difference of any element to Keras's vectors. */
  { readonly madeBy: string; readonly maxAbsError: number } | { readonly missing: string };

/**
 * Makes a model of the user's own file: reads and converts it in a thread with bounds, checks that it embeds, and puts it
 * into the folder of models. If anything fails, nothing is left there.
 * @throws EmbedError `CONFIG_INVALID` for a name, a folder or a setting that will not do; `MODEL_UNREACHABLE`,
 *   `CONVERT_INVALID`, `CONVERT_UNSUPPORTED_LAYER`; `ENGINE_FAILED`, `VECTOR_DRIFT` by the self-check; `CANCELLED` by the signal
 */
export async function importModel(options: ImportOptions): Promise<ImportedModel> {
  try {
    return await makeModel(options);
  } catch (error) {
    if (!options.signal?.aborted || error instanceof EmbedError) throw error;
    throw new EmbedError("CANCELLED", "importing was stopped; nothing is left of it", { cause: error });
  }
}

async function makeModel(options: ImportOptions): Promise<ImportedModel> {
  const { name, signal, force = false } = options;
  const modelsDir = resolveModelsDir(options.modelsDir);
  await checkNewName(modelsDir, name, force);
  const imported = await importInThread({ ...options, isForKeras: options.python !== undefined });
  const { onnx, why } = imported;
  if (options.python !== undefined && imported.source.format === "onnx") {
    throw new EmbedError("CONFIG_INVALID", "--golden goes with Keras's models; this is an ONNX model");
  }
  return fillModelFolder(modelsDir, name, force, async (folder) => {
    const manifest = toManifest(name, imported);
    await writeFile(join(folder, importedModelFile), onnx);
    await writeFile(join(folder, "manifest.json"), `${JSON.stringify(manifest, undefined, 2)}\n`);
    const { goldens, engines } = await checkImport({ ...manifest, folder }, signal);
    await writeImportedGoldens(folder, goldens, "import", engines[0]!.engine);
    const keras =
      options.python === undefined ? undefined : await askKeras({ ...manifest, folder }, goldens, options);
    signal?.throwIfAborted();
    return {
      manifest: { ...manifest, folder: join(modelsDir, name) },
      why,
      engines,
      ...(keras && { keras }),
    };
  });
}

/** Puts Keras's vectors in the place of our own, which must be the same. */
async function askKeras(
  manifest: ModelManifest & { readonly folder: string },
  own: readonly ImportedGolden[],
  { file, topology, python = "", signal }: ImportOptions,
): Promise<KerasReport> {
  const made = await runKeras(manifest, {
    ...{ python, signal, file: resolve(file) },
    topology: topology === undefined ? undefined : resolve(topology),
  });
  if ("missing" in made) return made;
  const { goldens, madeBy } = made;
  const errors = goldens.map(({ vector }, index) => compareVectors(own[index]!.vector, vector).maxAbsError);
  const maxAbsError = Math.max(...errors);
  if (!(maxAbsError <= importedTolerance)) {
    throw new EmbedError(
      "VECTOR_DRIFT",
      `expected vectors within ${importedTolerance} of those that ${madeBy} makes of the file, got a largest absolute error of ${maxAbsError}; nothing was imported`,
    );
  }
  await writeImportedGoldens(manifest.folder, goldens, "keras", madeBy);
  return { madeBy, maxAbsError };
}

function toManifest(name: string, imported: ImportedFile): ModelManifest {
  const { onnx, sha256, fingerprint, dimension, source, outputLayer, preprocess, pooling } = imported;
  // Parsed as it will be read, so that nothing is written that cannot be.
  return parseModelManifest({
    name,
    description: `imported from ${source.file}`,
    identity: { name, type: "encoder", input: "image", output: "vector", dimension, metricType: "L2" },
    sources: [source],
    outputLayer,
    preprocess,
    pooling,
    normalisation: "l2",
    precision: "fp32",
    onnx: { sha256, bytes: onnx.byteLength },
    fingerprint,
  });
}
