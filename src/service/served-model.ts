import type { Embedder, EmbedResult } from "../embed/embedder.ts";
import type { ModelDescription } from "../embed/model-manifest.ts";
import { settleBefore } from "../embed/settle-before.ts";

/** What the services ask of an embedder; when it is ready they are told by the model's `hold`. */
export type ServedEmbedder = Pick<Embedder, "concurrency" | "isReady" | "embed">;

/** Whether a model is in memory; the names of `portico.v1.ModelState`. */
export type ModelState = "unloaded" | "loading" | "loaded" | "failed";

/** A model as the services offer it. */
export interface ServedModel {
  /** Without a fingerprint as long as nobody has seen the weights; it is there while the model is held. */
  readonly manifest: ModelDescription;
  /** Takes pictures while the model is held. */
  readonly embedder: ServedEmbedder;
  /** Asking loads nothing. */
  readonly state: () => ModelState;
  /**
   * Waits until the model is in memory and has shown that it works; it stays there until the function that comes back is
   * called, once or more often.
   * @throws EmbedError why it cannot be had, or `DEADLINE_EXCEEDED` or `CANCELLED` by the signal
   */
  readonly hold: (signal: AbortSignal) => Promise<() => void>;
  /** What computes, for example `simd`; undefined as long as that is not known. */
  readonly engine: () => string | undefined;
  /** Image formats that are decoded. */
  readonly formats: readonly string[];
  readonly limits: ServiceLimits;
  /** Told what became of each picture, for metrics. */
  readonly onResult?: (result: EmbedResult) => void;
}

/** Of a model that is loaded from the start and stays. */
export function alwaysLoaded(embedder: Embedder): Pick<ServedModel, "state" | "hold"> {
  let state: ModelState = "loading";
  embedder.ready.then(
    () => {
      state = "loaded";
    },
    () => {
      state = "failed";
    },
  );
  return {
    state: () => state,
    async hold(signal) {
      await settleBefore(embedder.ready, signal);
      return () => undefined;
    },
  };
}

/** What one call may ask for. */
export interface ServiceLimits {
  /** Largest number of pictures in one call. */
  readonly maxItems: number;
  /** Largest encoded picture, in bytes. */
  readonly maxImageBytes: number;
  /** Largest width x height of a picture. */
  readonly maxPixels: number;
}

/** 1000 items: their failed indexes still fit into the trailers of one gRPC reply. */
export const defaultMaxItems = 1000;

/**
 * Says on a reply which model made its vectors and which space they lie in: vectors are comparable if and only
 * if their spaces have the same name.
 */
export function describeVectors(headers: Headers, { manifest }: ServedModel): void {
  headers.set("portico-model", manifest.name);
  if (manifest.fingerprint !== undefined) headers.set("portico-vector-space", manifest.fingerprint);
}
