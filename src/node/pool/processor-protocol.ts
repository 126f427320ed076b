import type { ProcessorLimits } from "../../embed/process-picture.ts";
import type { Processed } from "../../embed/processor.ts";
import type { PreprocessSpec } from "../../preprocess/preprocess-spec.ts";
import type { CrewMessage } from "./crew-protocol.ts";
import type { WorkerSetup } from "./worker-protocol.ts";

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

/** Of such a thread: the images, and once it is ready the processor's name. */
export type ProcessMessage = CrewMessage<Processed, string>;
