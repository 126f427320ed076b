import type { Embedder } from "../embed/embedder.ts";
import type { EngineName } from "../engine/engine.ts";
import type { EmbedError } from "../errors.ts";
import type { WorkerLimits } from "./worker-limits.ts";
import type { WorkerReady, WorkerSetup } from "./worker-messages.ts";

/** What became of the worker or of its engine; some of it long after the embedder was opened. */
export type WorkerEmbedderEvent =
  /** A worker takes pictures from now on: the first one, or one in the place of another. */
  | { readonly kind: "engine-ready"; readonly engine: EngineName; readonly adapter: string | undefined }
  /** An engine cannot work here, or no longer, and the next one takes its place. */
  | { readonly kind: "engine-passed-over"; readonly engine: EngineName; readonly error: EmbedError }
  /** `ort-webgpu` lost its GPU device and goes on with another one. */
  | { readonly kind: "device-replaced"; readonly error: EmbedError }
  /** A worker ended, hung or failed; another one is started when a picture waits. */
  | { readonly kind: "worker-lost"; readonly error: EmbedError };

export interface WorkerEmbedder extends Embedder {
  /** What computes, or did last; undefined until the first engine has passed its self-check. */
  running(): Omit<WorkerReady, "kind"> | undefined;
}

export interface WorkerEmbedderOptions extends Partial<WorkerLimits> {
  readonly startWorker: () => Worker;
  /** Its engines are tried in turn; one that is lost for good leaves its place to the next. */
  readonly setup: Omit<WorkerSetup, "lock">;
  /** Brings the model for each worker, which gets it. */
  readonly readModel: () => Promise<Uint8Array<ArrayBuffer>>;
  readonly onEvent?: (event: WorkerEmbedderEvent) => void;
}
