import type { Embedding } from "../../embed/embedder.ts";
import type { SelfCheck } from "../../embed/self-check.ts";
import type { EngineName } from "../../engine/engine.ts";
import type { PackedModel } from "../../engine/simd/packed-model.ts";
import type { PlainEmbedError } from "../../errors.ts";
import type { ImageLimits } from "../../image/pixels.ts";
import type { PreprocessSpec } from "../../preprocess/preprocess-spec.ts";

/** What a worker is started with. Model bytes and compiled codecs are shared, not copied. */
export interface WorkerSetup {
  readonly engine: EngineName;
  /** ONNX bytes over a SharedArrayBuffer. */
  readonly onnx: Uint8Array;
  readonly preprocess: PreprocessSpec;
  readonly limits: ImageLimits;
  readonly codecs: { readonly jpeg: WebAssembly.Module; readonly webp: WebAssembly.Module };
  /** Of the engine `simd`. */
  readonly kernels: WebAssembly.Module;
  /** Threads of the engine inside this worker. */
  readonly threads: number;
  readonly selfCheck: SelfCheck;
}

/** What one worker is started with. */
export interface WorkerStart extends WorkerSetup {
  /** Its number among those that live; it is another's once its thread has ended. */
  readonly seat: number;
  /** Of the engine `simd`: the weights that the first worker has packed. */
  readonly packed?: PackedModel;
}

/** Main thread to worker: embed one picture; `bytes` is transferred. */
export interface EmbedCommand {
  readonly id: number;
  readonly bytes: Uint8Array;
}

/** Worker to main thread. An `EmbedError` travels as plain data. */
export type WorkerMessage =
  | { readonly kind: "ready"; readonly maxAbsError: number; readonly packed?: PackedModel }
  | { readonly kind: "failed"; readonly error: PlainEmbedError }
  | {
      readonly kind: "result";
      readonly id: number;
      readonly result: PlainEmbedResult;
      /** WebAssembly memory of the worker after this picture; it never shrinks. */
      readonly wasmBytes: number;
    };

export type PlainEmbedResult = Embedding | { readonly ok: false; readonly error: PlainEmbedError };
