import type { Embedding } from "../embed/embedder.ts";
import type { SelfCheck } from "../embed/self-check.ts";
import type { EngineName } from "../engine/engine.ts";
import type { PlainEmbedError } from "../errors.ts";
import type { ImageCodecs } from "../image/decode-image.ts";
import type { ImageLimits } from "../image/pixels.ts";
import type { PreprocessSpec } from "../preprocess/preprocess-spec.ts";

/** What a Web Worker computes with. Compiled modules are shared, not copied. */
export interface WorkerSetup {
  /** Tried in turn until one passes the self-check. */
  readonly engines: readonly EngineName[];
  readonly preprocess: PreprocessSpec;
  readonly limits: ImageLimits;
  readonly codecs: ImageCodecs;
  /** Of the engine `simd`; undefined if it is not tried. */
  readonly kernels: WebAssembly.Module | undefined;
  /** Of the engine `ort-wasm`: URLs of onnxruntime-web's module and of its wasm, fetched for this engine only. */
  readonly ort: { readonly module: string; readonly wasm: string };
  /** Threads of the engine `ort-wasm`. */
  readonly threads: number;
  readonly selfCheck: SelfCheck;
}

/** Page to worker. The first message is `start`, whose `onnx` is transferred; `bytes` are, too. */
export type WorkerCommand =
  | { readonly kind: "start"; readonly setup: WorkerSetup; readonly onnx: Uint8Array }
  | { readonly kind: "embed"; readonly bytes: Uint8Array };

/** Worker to page: `ready` or `failed` after `start`, a `result` after each picture. */
export type WorkerMessage =
  | { readonly kind: "ready"; readonly engine: EngineName }
  | { readonly kind: "passed-over"; readonly engine: EngineName; readonly error: PlainEmbedError }
  | { readonly kind: "failed"; readonly error: PlainEmbedError }
  | { readonly kind: "result"; readonly result: PlainEmbedResult };

export type PlainEmbedResult = Embedding | { readonly ok: false; readonly error: PlainEmbedError };
