import { createImageEmbedder, type ImageEmbedder } from "../embed/image-embedder.ts";
import { settleBefore } from "../embed/settle-before.ts";
import type { EngineName } from "../engine/engine.ts";
import { EmbedError } from "../errors.ts";
import { defaultImageLimits } from "../image/pixels.ts";
import { type LoadModelEvent, loadModel } from "./load-model.ts";
import { loadCodecs, loadKernels, loadModelFacts, ortUrls, startWorker } from "./package-assets.ts";
import { type WebEngineName, webEngineNames } from "./web-engines.ts";
import { startWorkerEmbedder } from "./worker-embedder.ts";

export type CreateEmbedderEvent =
  | LoadModelEvent
  /** An engine cannot work here, and the next one is tried. */
  | { readonly kind: "engine-passed-over"; readonly engine: EngineName; readonly error: EmbedError };

export interface CreateEmbedderOptions {
  /** The converted model, `model.onnx` of `portico prepare`: its bytes, or a URL from which this page may fetch it. */
  readonly onnx: string | URL | Uint8Array | ArrayBuffer;
  /** A model that ships with Portico, which says what `onnx` is. Default: `resnet50`. */
  readonly model?: string;
  /** What computes. Default: `auto`, the fastest that works here. */
  readonly engine?: WebEngineName | "auto";
  /**
   * Threads of the engine `ort-wasm`; `simd` has 1, so that `auto` takes `ort-wasm` for more. A page that is not
   * cross-origin isolated (COOP and COEP) has 1, whatever is asked for. Default: 1 for `auto`, else the cores, at most 4.
   */
  readonly threads?: number;
  /** Largest width x height of a picture that is decoded. Default: 50 megapixels. */
  readonly maxPixels?: number;
  readonly onProgress?: (event: CreateEmbedderEvent) => void;
  /** Stops the opening. */
  readonly signal?: AbortSignal;
}

/**
 * Opens a model in a Web Worker of this page, which has embedded a known picture as Keras does before it takes work. A
 * model from a URL is kept by the Cache API, so that it is fetched once.
 * @throws EmbedError `CONFIG_INVALID`, `MODEL_UNKNOWN`, `MODEL_UNREACHABLE`, `MODEL_CORRUPT`, `ENGINE_UNSUPPORTED`,
 *   `ENGINE_FAILED`, `VECTOR_DRIFT`, or `CANCELLED` or `DEADLINE_EXCEEDED` by the signal
 */
export async function createEmbedder(options: CreateEmbedderOptions): Promise<ImageEmbedder> {
  const { model = "resnet50", engine = "auto", maxPixels = defaultImageLimits.maxPixels } = options;
  const { signal, onProgress } = options;
  const threads = chooseThreads(options);
  const engines = chooseEngines(engine, threads);
  for (const [name, value] of Object.entries({ threads, maxPixels })) {
    if (Number.isSafeInteger(value) && value > 0) continue;
    throw new EmbedError("CONFIG_INVALID", `expected ${name} to be a whole number from 1, got ${value}`);
  }
  if (options.onnx === undefined) {
    const message =
      "expected onnx: the bytes or the URL of the file model.onnx that `portico prepare` makes, got nothing";
    throw new EmbedError("CONFIG_INVALID", message);
  }
  const { manifest, selfCheck } = await loadModelFacts(model, signal);
  const [codecs, kernels, onnx] = await Promise.all([
    loadCodecs(signal),
    engines.includes("simd") ? loadKernels(signal) : undefined,
    loadModel(options.onnx, manifest, { signal, onProgress }),
  ]);
  const { preprocess } = manifest;
  const limits = { maxPixels };
  const embedder = startWorkerEmbedder(
    startWorker(),
    { engines, preprocess, limits, codecs, kernels, ort: ortUrls(), threads, selfCheck },
    onnx,
    (passed, error) => onProgress?.({ kind: "engine-passed-over", engine: passed, error }),
  );
  try {
    return createImageEmbedder(embedder, manifest, await settleBefore(embedder.engine, signal));
  } catch (error) {
    await embedder.dispose();
    throw error;
  }
}

function chooseThreads({ threads, engine = "auto" }: CreateEmbedderOptions): number {
  if (!globalThis.crossOriginIsolated) return 1;
  return threads ?? (engine === "ort-wasm" ? Math.min(navigator.hardwareConcurrency, 4) : 1);
}

function chooseEngines(engine: WebEngineName | "auto", threads: number): readonly WebEngineName[] {
  if (engine === "auto") return threads > 1 ? ["ort-wasm"] : webEngineNames;
  if (!webEngineNames.includes(engine)) {
    const known = ["auto", ...webEngineNames].join(", ");
    throw new EmbedError("CONFIG_INVALID", `expected engine ${known} in a browser, got "${engine}"`);
  }
  if (engine === "simd" && threads > 1) {
    throw new EmbedError("CONFIG_INVALID", `expected 1 thread with engine simd, got ${threads}`);
  }
  return [engine];
}
