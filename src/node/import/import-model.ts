import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { EncoderReasons } from "../../convert/infer/infer-encoder.ts";
import type { ModelManifest } from "../../embed/model-manifest.ts";
import { parseModelManifest } from "../../embed/parse-model-manifest.ts";
import { EmbedError } from "../../errors.ts";
import { importedModelFile } from "../model/model-cache.ts";
import { resolveModelsDir } from "../model/models-folder.ts";
import { checkNewName, fillModelFolder } from "./import-folder.ts";
import { writeImportedGoldens } from "./import-golden.ts";
import { type ImportFileOptions, importInThread } from "./import-in-thread.ts";
import type { ImportedFile } from "./import-job.ts";
import { checkImport, type EngineReport } from "./import-self-check.ts";

export interface ImportOptions extends ImportFileOptions {
  readonly name: string;
  /** Folder of the user's models; by default `resolveModelsDir()`. */
  readonly modelsDir?: string;
  /** Replaces a model of this name that was imported before. Default: false. */
  readonly force?: boolean;
}

export interface ImportedModel {
  /** With the folder in which it lies. */
  readonly manifest: ModelManifest;
  /** Why it is as it is. */
  readonly why: EncoderReasons;
  readonly engines: readonly EngineReport[];
}

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
  const imported = await importInThread(options);
  const { onnx, why } = imported;
  return fillModelFolder(modelsDir, name, force, async (folder) => {
    const manifest = toManifest(name, imported);
    await writeFile(join(folder, importedModelFile), onnx);
    await writeFile(join(folder, "manifest.json"), `${JSON.stringify(manifest, undefined, 2)}\n`);
    const { goldens, engines } = await checkImport({ ...manifest, folder }, signal);
    await writeImportedGoldens(folder, goldens, "import", engines[0]!.engine);
    signal?.throwIfAborted();
    return { manifest: { ...manifest, folder: join(modelsDir, name) }, why, engines };
  });
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
