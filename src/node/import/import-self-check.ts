import { readFile } from "node:fs/promises";
import { compareVectors } from "../../embed/compare-vectors.ts";
import type { ModelManifest } from "../../embed/model-manifest.ts";
import type { EngineName } from "../../engine/engine.ts";
import { EmbedError } from "../../errors.ts";
import { defaultImageLimits } from "../../image/pixels.ts";
import { modelFile } from "../model/model-cache.ts";
import { shippedPhotographs } from "../model/vector-golden.ts";
import { openEmbedder } from "../open-embedder.ts";
import { packageFile } from "../package-file.ts";
import { enginePackageLacks } from "../pool/engine-package.ts";
import { ortNativePackage } from "../pool/native-runtime.ts";
import { type ImportedGolden, importedTolerance } from "./import-golden.ts";

/** What one engine made of the photographs, beside the reference. */
export interface EngineReport {
  readonly engine: EngineName;
  /** Largest absolute difference of any element to the reference's vectors; 0 for the reference itself. */
  readonly maxAbsError?: number;
  /** Why the engine gives no vectors of this model; another one serves it. */
  readonly refused?: string;
}

export interface ImportCheck {
  /** Of each photograph, by the reference engine. */
  readonly goldens: readonly ImportedGolden[];
  readonly engines: readonly EngineReport[];
}

/** Runs everywhere, and gives the same bits everywhere. */
const referenceEngine: EngineName = "ort-wasm";

/** Two vectors of norm 1 nearer than this in every element are the same: the model does not look at its picture. */
const sameVector = 1e-6;

/**
 * The most WebAssembly memory of an engine while it checks an imported model, whose tensors may be of any size: ResNet50,
 * of 94 MB, takes 250 MB.
 */
export const checkMaxMemoryBytes = (onnxBytes: number): number => 2 ** 30 + 4 * onnxBytes;

const noQueueLimits = { maxItems: Infinity, maxBytes: Infinity };

/**
 * Embeds the photographs that ship with Portico, with the reference engine and with the others that run here: each vector
 * must have a norm of 1, be the same when it is made twice, and be another for another picture.
 * @param manifest of the model, with its folder
 * @throws EmbedError `ENGINE_FAILED`, `VECTOR_DRIFT`, `CONFIG_INVALID`; the signal's reason
 */
export async function checkImport(manifest: ModelManifest, signal?: AbortSignal): Promise<ImportCheck> {
  const vectors = await embedPhotographs(manifest, referenceEngine, signal);
  const goldens = shippedPhotographs.map((image, index) => ({ image, vector: vectors[index]! }));
  const others: EngineName[] = ["simd"];
  if (enginePackageLacks(ortNativePackage) === undefined) others.push("ort-native");
  const engines: EngineReport[] = [{ engine: referenceEngine, maxAbsError: 0 }];
  for (const engine of others) engines.push(await compareEngine(manifest, engine, vectors, signal));
  return { goldens, engines };
}

async function compareEngine(
  manifest: ModelManifest,
  engine: EngineName,
  expected: readonly Float32Array[],
  signal: AbortSignal | undefined,
): Promise<EngineReport> {
  try {
    const vectors = await embedPhotographs(manifest, engine, signal);
    const errors = vectors.map((vector, index) => compareVectors(vector, expected[index]!).maxAbsError);
    const maxAbsError = Math.max(...errors);
    if (maxAbsError <= importedTolerance) return { engine, maxAbsError };
    return {
      engine,
      maxAbsError,
      refused: `differs from ${referenceEngine} by ${maxAbsError.toExponential(2)}`,
    };
  } catch (error) {
    signal?.throwIfAborted();
    return { engine, refused: EmbedError.from(error).message };
  }
}

async function embedPhotographs(
  manifest: ModelManifest,
  engine: EngineName,
  signal: AbortSignal | undefined,
): Promise<readonly Float32Array[]> {
  const pictures = await Promise.all(
    shippedPhotographs.map(async (name) => ({
      name,
      bytes: await readFile(packageFile(`fixtures/images/${name}`)),
    })),
  );
  signal?.throwIfAborted();
  const maxWasmBytes = checkMaxMemoryBytes(manifest.onnx.bytes);
  const pool = openEmbedder({
    manifest,
    prepare: async () => modelFile("", manifest),
    engine,
    workers: 1,
    threads: 1,
    gangThreads: 1,
    limits: defaultImageLimits,
    queue: noQueueLimits,
    maxWasmBytes,
    // There is nothing to compare with yet.
    selfCheck: pictures[0]!,
  });
  const stop = () => void pool.dispose();
  signal?.addEventListener("abort", stop);
  try {
    await pool.ready;
    const embed = async (bytes: Uint8Array) => {
      // Its bytes go to the worker.
      const result = await pool.embed(bytes.slice());
      if (!result.ok) throw result.error;
      return result.vector;
    };
    const vectors: Float32Array[] = [];
    for (const { name, bytes } of pictures) {
      const [vector, again] = [await embed(bytes), await embed(bytes)];
      checkVector(manifest, name, vector, again);
      vectors.push(vector);
    }
    checkDifferent(vectors);
    return vectors;
  } catch (error) {
    signal?.throwIfAborted();
    const { reason, message, cause } = EmbedError.from(error);
    const limit = `${Math.round(maxWasmBytes / 2 ** 20)} MiB of memory`;
    throw new EmbedError(reason, `self-check on ${engine}, with ${limit}: ${message}`, { cause });
  } finally {
    signal?.removeEventListener("abort", stop);
    await pool.dispose();
  }
}

function checkVector(
  { identity }: ModelManifest,
  image: string,
  vector: Float32Array,
  again: Float32Array,
): void {
  const norm = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
  // Not `>`: NaN must not pass.
  if (vector.length !== identity.dimension || !(Math.abs(norm - 1) <= 1e-5)) {
    throw new EmbedError(
      "VECTOR_DRIFT",
      `expected ${identity.dimension} elements of norm 1 for ${image}, got ${vector.length} of norm ${norm}`,
    );
  }
  if (vector.every((value, index) => Object.is(value, again[index]))) return;
  throw new EmbedError("VECTOR_DRIFT", `expected the same vector of ${image} twice, got two different ones`);
}

function checkDifferent([first, second]: readonly Float32Array[]): void {
  if (compareVectors(first!, second!).maxAbsError > sameVector) return;
  throw new EmbedError(
    "VECTOR_DRIFT",
    `expected another vector for another picture, got the same ${first!.length} elements for ${shippedPhotographs.join(" and ")}; is this the right layer and the right --preprocess, and are the weights trained?`,
  );
}
