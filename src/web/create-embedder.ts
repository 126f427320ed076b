import { createImageEmbedder, type ImageEmbedder, type RunningEngine } from "../embed/image-embedder.ts";
import type { VariantName } from "../embed/model-manifest.ts";
import { pickVariant } from "../embed/pick-variant.ts";
import { settleBefore } from "../embed/settle-before.ts";
import { EmbedError } from "../errors.ts";
import { defaultImageLimits } from "../image/pixels.ts";
import { chooseEngines } from "./choose-engines.ts";
import { type LoadModelEvent, loadModel } from "./load-model.ts";
import {
  loadDecoders,
  loadKernels,
  loadModelFacts,
  ortWasmFiles,
  ortWebGpuFiles,
  startWorker,
} from "./package-assets.ts";
import type { WebEngineName } from "./web-engines.ts";
import { startWorkerEmbedder } from "./worker-embedder.ts";
import type { WorkerEmbedderEvent } from "./worker-embedder-options.ts";
import { defaultWorkerLimits } from "./worker-limits.ts";

export type CreateEmbedderEvent = LoadModelEvent | WorkerEmbedderEvent;

export interface CreateEmbedderOptions {
  /**
   * The converted model, `model.onnx` of `portico prepare`: its bytes, or a URL from which this page may fetch it. A worker
   * that is lost needs it again: bytes are copied into a `Blob`, which browsers keep outside the page.
   */
  readonly onnx: string | URL | Uint8Array | ArrayBuffer | Blob;
  /** Sent with the request for `onnx` where that is a URL: `{ authorization: "Bearer ..." }`. Default: none. */
  readonly onnxHeaders?: Readonly<Record<string, string>>;
  /** A model that ships with Portico, which says what `onnx` is. Default: `resnet50`. */
  readonly model?: string;
  /** Form of the model that `onnx` is, each a vector space of its own. Default: `fp32`, whose vectors are those of Keras. */
  readonly variant?: VariantName;
  /** What computes. Default: `auto`, the fastest that works here. */
  readonly engine?: WebEngineName | "auto";
  /**
   * Threads of the engine `ort-wasm`; `simd` has 1, and who asks for at least 4 gets `ort-wasm` before `simd` from `auto`. A page
   * that is not cross-origin isolated (COOP and COEP) has 1, whatever is asked for. Default: the cores, at most 4.
   */
  readonly threads?: number;
  /** Largest width x height of a picture that is decoded. Default: 50 megapixels. */
  readonly maxPixels?: number;
  /**
   * Longest time that one picture may take; then its worker is replaced, and it fails with `IMAGE_TOO_SLOW`. Default: 30 s. A
   * GPU made of software needs more.
   */
  readonly itemTimeoutMs?: number;
  /** Told of the opening, and as long as the embedder lives of what is lost and replaced. */
  readonly onProgress?: (event: CreateEmbedderEvent) => void;
  /** Stops the opening. */
  readonly signal?: AbortSignal;
}

/**
 * Opens a model in a Web Worker of this page, which has embedded a known picture as Keras does before it takes work. A
 * model from a URL is kept by the Cache API, so that it is fetched once. A worker or an engine that is lost is replaced.
 * @throws EmbedError `CONFIG_INVALID`, `MODEL_UNKNOWN`, `MODEL_UNREACHABLE`, `MODEL_CORRUPT`, `ENGINE_UNSUPPORTED`,
 *   `ENGINE_FAILED`, `VECTOR_DRIFT`, or `CANCELLED` or `DEADLINE_EXCEEDED` by the signal
 */
export async function createEmbedder(options: CreateEmbedderOptions): Promise<ImageEmbedder> {
  const { model = "resnet50", engine = "auto", maxPixels = defaultImageLimits.maxPixels } = options;
  const { itemTimeoutMs = defaultWorkerLimits.itemTimeoutMs, signal } = options;
  const onProgress = options.onProgress && reportErrorsOf(options.onProgress);
  const page = { isIsolated: globalThis.crossOriginIsolated, cores: navigator.hardwareConcurrency };
  const { engines, threads } = chooseEngines({ engine, threads: options.threads }, page);
  for (const [name, value] of Object.entries({ maxPixels, itemTimeoutMs })) {
    if (Number.isSafeInteger(value) && value > 0) continue;
    throw new EmbedError("CONFIG_INVALID", `expected ${name} to be a whole number from 1, got ${value}`);
  }
  checkOnnx(options.onnx);
  const facts = await loadModelFacts(model, signal);
  const manifest = pickVariant(facts.manifest, options.variant ?? "fp32");
  const selfCheck = { ...facts.selfCheck, accuracy: manifest.accuracy };
  const source = keepModel(options.onnx);
  const headers = options.onnxHeaders;
  const [decoders, kernels, onnx] = await Promise.all([
    loadDecoders(signal),
    engines.includes("simd") ? loadKernels(signal) : undefined,
    loadModel(source, manifest, { signal, headers, onProgress }),
  ]);
  let first: Uint8Array<ArrayBuffer> | undefined = onnx;
  const embedder = startWorkerEmbedder({
    startWorker,
    setup: {
      ...{ engines, threads, decoders, kernels, selfCheck },
      preprocess: manifest.preprocess,
      limits: { maxPixels },
      ortWasm: ortWasmFiles(),
      ortWebGpu: ortWebGpuFiles(),
      maySoftwareGpu: engine === "ort-webgpu",
    },
    async readModel() {
      const given = first ?? (await loadModel(source, manifest, { headers, onProgress }));
      first = undefined;
      return given;
    },
    itemTimeoutMs,
    ...(onProgress && { onEvent: onProgress }),
  });
  try {
    await settleBefore(embedder.ready, signal);
  } catch (error) {
    await embedder.dispose();
    throw error;
  }
  return createImageEmbedder(embedder, manifest, () => embedder.running() as RunningEngine);
}

function checkOnnx(onnx: unknown): void {
  const isBytes = onnx instanceof Blob || onnx instanceof ArrayBuffer || ArrayBuffer.isView(onnx);
  if (isBytes || onnx instanceof URL || (typeof onnx === "string" && onnx !== "")) return;
  const got = onnx === undefined || onnx === null || onnx === "" ? "nothing" : typeof onnx;
  const message = `expected onnx: the bytes or the URL of the file model.onnx that \`portico prepare\` makes, got ${got}`;
  throw new EmbedError("CONFIG_INVALID", message);
}

const keepModel = (onnx: CreateEmbedderOptions["onnx"]): string | URL | Blob =>
  typeof onnx === "string" || onnx instanceof URL || onnx instanceof Blob
    ? onnx
    : new Blob([onnx as Uint8Array<ArrayBuffer>]);

/** What a listener throws is told where a page's other errors are; nothing here fails, or waits for ever, because of it. */
function reportErrorsOf(listener: (event: CreateEmbedderEvent) => void) {
  return (event: CreateEmbedderEvent): void => {
    try {
      listener(event);
    } catch (error) {
      reportError(error);
    }
  };
}
