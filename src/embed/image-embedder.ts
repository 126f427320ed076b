import type { EngineName } from "../engine/engine.ts";
import type { ImageFormat } from "../image/pixels.ts";
import type { Embedder, EmbedOptions, StageTimings } from "./embedder.ts";
import { type ImageInput, imageBytes, isRaw } from "./image-bytes.ts";
import type { ModelManifest } from "./model-manifest.ts";
import { abortError, settleBefore } from "./settle-before.ts";

/** What `embed` gives for one picture. */
export interface ImageEmbedding {
  /** (dimension) float32 with L2 norm 1; the caller's own. */
  readonly vector: Float32Array;
  /** Names the vector space: vectors are comparable if and only if their spaces have the same name. */
  readonly vectorSpace: string;
  /** Told by the first bytes, not by a name; `raw` for pixels. */
  readonly format: ImageFormat | "raw";
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  readonly timings: StageTimings;
}

/** A loaded model that turns pictures into vectors. The program that made it disposes of it. */
export interface ImageEmbedder {
  /** Name of the model. */
  readonly model: string;
  readonly vectorSpace: string;
  /** Length of one vector. */
  readonly dimension: number;
  /** What computes now: an engine that is lost may leave its place to another. */
  readonly engine: EngineName;
  /** Of the engine `ort-webgpu`: the GPU that computes now. */
  readonly adapter: string | undefined;
  /** Pictures that are worked on at once, at least 1, on a GPU 32; more of them wait. Changes with the engine. */
  readonly concurrency: number;
  /**
   * Embeds one picture; the caller's bytes are not touched. May be called again at once: what cannot begin waits.
   * @throws EmbedError (as a rejection) with one of the reasons of docs/errors.md
   */
  embed(image: ImageInput, options?: EmbedOptions): Promise<ImageEmbedding>;
  /** Ends its threads. What waits, and every later call, fails with `SHUTTING_DOWN`. */
  dispose(): Promise<void>;
}

/** What computes. */
export interface RunningEngine {
  readonly engine: EngineName;
  readonly adapter?: string | undefined;
}

/** An `ImageEmbedder` over whatever embeds encoded bytes here. */
export function createImageEmbedder(
  embedder: Embedder,
  { name, fingerprint, identity }: ModelManifest,
  running: () => RunningEngine,
): ImageEmbedder {
  return {
    model: name,
    vectorSpace: fingerprint,
    dimension: identity.dimension,
    get engine() {
      return running().engine;
    },
    get adapter() {
      return running().adapter;
    },
    get concurrency() {
      return embedder.concurrency;
    },
    async embed(image, { signal } = {}) {
      if (signal?.aborted) throw abortError(signal);
      const bytes = await settleBefore(imageBytes(image), signal);
      const result = await embedder.embed(bytes, signal ? { signal } : {});
      if (!result.ok) throw result.error;
      const { vector, format, width, height, timings } = result;
      return {
        vector,
        vectorSpace: fingerprint,
        format: isRaw(image) ? "raw" : format,
        width,
        height,
        timings,
      };
    },
    dispose: () => embedder.dispose(),
  };
}
