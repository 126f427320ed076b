import type { ProcessorLimits } from "../../embed/process-picture.ts";
import type { Processed } from "../../embed/processor.ts";
import type { PlainEmbedError } from "../../errors.ts";
import type { PreprocessSpec } from "../../preprocess/preprocess-spec.ts";
import type { PlainEmbedFailure, WorkerSetup } from "./worker-protocol.ts";

/** Which processor a thread runs; each thread has its own. */
export type ProcessorSource =
  /** Portico's own `preview`, for the input of a model. */
  | { readonly kind: "preview"; readonly input: PreprocessSpec }
  /** The default export of a module, by its file URL; `shown` is its name for messages. */
  | { readonly kind: "module"; readonly url: string; readonly shown: string };

/** What a thread that runs a processor is started with. */
export interface ProcessorStart {
  readonly source: ProcessorSource;
  readonly codecs: WorkerSetup["codecs"];
  readonly limits: ProcessorLimits;
}

/** Main thread to such a thread; `bytes` is transferred. */
export interface ProcessCommand {
  readonly kind: "process";
  readonly id: number;
  readonly bytes: Uint8Array;
}

/** The other way; the images are transferred. */
export type ProcessMessage =
  | { readonly kind: "ready"; readonly name: string }
  | { readonly kind: "failed"; readonly error: PlainEmbedError }
  | {
      readonly kind: "result";
      readonly id: number;
      readonly result: Processed | PlainEmbedFailure;
      readonly wasmBytes: number;
    };
