import type { Embedding } from "../../embed/embedder.ts";
import type { PreparedImage } from "../../embed/prepare-image.ts";
import type { SelfCheck, WarmUp } from "../../embed/self-check.ts";
import type { EngineName } from "../../engine/engine.ts";
import type { PackedModel } from "../../engine/simd/packed-model.ts";
import type { PlainEmbedError } from "../../errors.ts";
import type { ImageLimits } from "../../image/pixels.ts";
import type { PreprocessSpec } from "../../preprocess/preprocess-spec.ts";
import type { CrewMessage, PlainEmbedFailure } from "./crew-protocol.ts";
import type { NativeCallState } from "./native-calls.ts";

/** What workers are started with. Compiled codecs are shared, not copied. */
export interface WorkerSetup {
  readonly engine: EngineName;
  /** What the first worker tries in turn where `engine` cannot start; the others take the one that could. Default: none. */
  readonly fallbacks?: readonly EngineName[];
  /**
   * ONNX bytes, or what reads them for one worker, whose they are then. So nobody holds them once the model is loaded: memory
   * that threads share would stay until each of them happens to collect its garbage.
   */
  readonly onnx: Uint8Array | (() => Promise<Uint8Array<ArrayBuffer>>);
  readonly preprocess: PreprocessSpec;
  readonly limits: ImageLimits;
  readonly codecs: { readonly jpeg: WebAssembly.Module; readonly webp: WebAssembly.Module };
  /** Of the engine `simd`. */
  readonly kernels: WebAssembly.Module;
  /** Threads of the engine inside this worker. */
  readonly threads: number;
  /** The most WebAssembly memory of the engine, for a model that may be a stranger's. Default: as much as there is. */
  readonly maxWasmBytes?: number;
  /** Of the engine `ort-webgpu`: whether a software adapter will do. Default: no. */
  readonly maySoftwareGpu?: boolean;
  readonly selfCheck: SelfCheck | WarmUp;
}

/** With a picture whose vector is known. */
export type CheckedSetup = WorkerSetup & { readonly selfCheck: SelfCheck };

/** What one worker is started with. */
export interface WorkerStart extends WorkerSetup {
  readonly onnx: Uint8Array;
  /** Its number among those that live; it is another's once its thread has ended. */
  readonly seat: number;
  /** Of the engines `ort-native` and `ort-webgpu`: whether their machine code runs, which is not to be interrupted. */
  readonly nativeCalls: NativeCallState;
  /** Of the engine `simd`: the weights that the first worker has packed. */
  readonly packed?: PackedModel;
  /** Of the engine `simd`: what threads that share a picture have in common. Without it each works alone. */
  readonly gangStates?: SharedArrayBuffer;
}

/** Main thread to worker. */
export type WorkerCommand = EmbedCommand | EmbedBatchCommand | HelpCommand;

/** Embed one picture; `bytes` is transferred. */
export interface EmbedCommand {
  readonly kind: "embed";
  readonly id: number;
  readonly bytes: Uint8Array;
  /** Workers that will be sent to help, should nothing else come up; undefined: it is to be worked on alone. */
  readonly helpers: number | undefined;
}

/** Embed pictures that another thread has decoded, in one run; their tensors are transferred. */
export interface EmbedBatchCommand {
  readonly kind: "embed-batch";
  readonly id: number;
  readonly images: readonly PreparedImage[];
}

/** Help with the picture of the worker in this seat. */
export interface HelpCommand {
  readonly kind: "help";
  readonly seat: number;
}

/** Worker to main thread. An `EmbedError` travels as plain data. */
export type WorkerMessage =
  | {
      readonly kind: "ready";
      readonly maxAbsError: number | undefined;
      readonly packed?: PackedModel;
      /** Whether its engine can help with the pictures of others. */
      readonly canHelp: boolean;
      /** Of the engine `ort-webgpu`: the name of its GPU. */
      readonly adapter?: string;
      /** WebAssembly memory of the worker after the self-check. */
      readonly wasmBytes: number;
    }
  /** The GPU was lost, and another device does its work now. */
  | { readonly kind: "device-replaced"; readonly error: PlainEmbedError }
  | { readonly kind: "failed"; readonly error: PlainEmbedError }
  /** The engine begins with the picture: others may help from now on. */
  | { readonly kind: "open" }
  /** It helps no more. */
  | { readonly kind: "left" }
  | {
      readonly kind: "result";
      readonly id: number;
      /** Of the one picture, or of each of the batch in order. */
      readonly results: readonly PlainEmbedResult[];
      /** WebAssembly memory of the worker after this; it never shrinks. */
      readonly wasmBytes: number;
    };

export type PlainEmbedResult = Embedding | PlainEmbedFailure;

/** What a thread that only decodes is started with: the part of a worker's that needs no engine. */
export type DecodeStart = Pick<WorkerSetup, "codecs" | "limits" | "preprocess">;

/** Of such a thread: the tensor that an engine takes. */
export type DecodeMessage = CrewMessage<PreparedImage>;
