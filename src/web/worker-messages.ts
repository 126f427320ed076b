import type { Embedding } from "../embed/embedder.ts";
import type { SelfCheck } from "../embed/self-check.ts";
import type { EngineName } from "../engine/engine.ts";
import type { PlainEmbedError } from "../errors.ts";
import type { ImageLimits } from "../image/pixels.ts";
import type { PreprocessSpec } from "../preprocess/preprocess-spec.ts";
import type { WorkerDecoders } from "./worker-decoders.ts";

/** Where a build of onnxruntime-web lies: absolute URLs of its module and of its wasm, fetched for its engine only. */
export interface OrtFiles {
  readonly module: string;
  readonly wasm: string;
}

/** What a Web Worker computes with. Compiled modules are shared, not copied. */
export interface WorkerSetup {
  /** Tried in turn until one passes the self-check. */
  readonly engines: readonly EngineName[];
  readonly preprocess: PreprocessSpec;
  readonly limits: ImageLimits;
  readonly decoders: WorkerDecoders;
  /** Of the engine `simd`; undefined if it is not tried. */
  readonly kernels: WebAssembly.Module | undefined;
  /** Of the engine `ort-wasm`. */
  readonly ortWasm: OrtFiles;
  /** Of the engine `ort-webgpu`. */
  readonly ortWebGpu: OrtFiles;
  /** Of the engine `ort-webgpu`: whether a software adapter will do. */
  readonly maySoftwareGpu: boolean;
  /** Threads of the engine `ort-wasm`. */
  readonly threads: number;
  readonly selfCheck: SelfCheck;
  /** A Web Lock, which the worker holds as long as it lives. */
  readonly lock: string;
}

/**
 * Page to worker. The first message is `start`, whose `onnx` is transferred. The pictures of one `embed` are embedded
 * in one run of the engine.
 */
export type WorkerCommand =
  | { readonly kind: "start"; readonly setup: WorkerSetup; readonly onnx: Uint8Array }
  | { readonly kind: "embed"; readonly pictures: readonly Uint8Array[] };

export interface WorkerReady {
  readonly kind: "ready";
  readonly engine: EngineName;
  /** Of the engine `ort-webgpu`: what computes. */
  readonly adapter: string | undefined;
}

/** Worker to page: `holding` where there are locks, then `ready` or `failed` after `start`, `results` after each `embed`. */
export type WorkerMessage =
  /** It holds its lock, and loads the engine from now on. */
  | { readonly kind: "holding" }
  | WorkerReady
  | { readonly kind: "passed-over"; readonly engine: EngineName; readonly error: PlainEmbedError }
  | { readonly kind: "failed"; readonly error: PlainEmbedError }
  /** Of the engine `ort-webgpu`, which went on with another device. */
  | { readonly kind: "device-replaced"; readonly error: PlainEmbedError }
  | { readonly kind: "results"; readonly results: readonly PlainEmbedResult[] };

export type PlainEmbedResult = Embedding | { readonly ok: false; readonly error: PlainEmbedError };
