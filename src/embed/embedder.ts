import type { EmbedError } from "../errors.ts";
import type { ImageFormat } from "../image/pixels.ts";

/** One embedding: `vector` is (dimension) float32 with L2 norm 1. */
export interface Embedding {
  readonly ok: true;
  readonly vector: Float32Array;
  readonly format: ImageFormat;
  /** Pixels, as the header of the picture says. */
  readonly width: number;
  readonly height: number;
  readonly timings: StageTimings;
}

/** Wall-clock time of each stage, in milliseconds. */
export interface StageTimings {
  readonly decodeMs: number;
  readonly preprocessMs: number;
  readonly inferMs: number;
}

export interface EmbedFailure {
  readonly ok: false;
  readonly error: EmbedError;
}

export type EmbedResult = Embedding | EmbedFailure;

export interface EmbedOptions {
  /** Aborted when the caller has gone or its deadline has passed; work not yet begun is then dropped. */
  readonly signal?: AbortSignal;
}

/**
 * Encoded bytes in, one result out. This is all that the service knows of images and models; in process it
 * is `createPipeline`, on a server the worker pool.
 */
export interface Embedder {
  /** Number of pictures that are worked on at once, at least 1. It changes with the engine: ask for it anew. */
  readonly concurrency: number;
  /** Resolves once an embedding has been made and checked; rejects if that can never happen. */
  readonly ready: Promise<void>;
  /**
   * Whether pictures come back as vectors now: false before the first embedding, while no worker lives, and
   * after failures of the engine until one succeeds.
   */
  isReady(): boolean;
  /**
   * Never rejects: a failure is a result, so that one bad item cannot shift another's place.
   * `bytes` may be transferred to a worker: the caller must not read it afterwards.
   */
  embed(bytes: Uint8Array, options?: EmbedOptions): Promise<EmbedResult>;
  dispose(): Promise<void>;
}
