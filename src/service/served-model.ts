import type { Embedder, EmbedResult } from "../embed/embedder.ts";
import type { ModelManifest } from "../embed/model-manifest.ts";

/** A model as the services offer it. */
export interface ServedModel {
  readonly manifest: ModelManifest;
  readonly embedder: Embedder;
  /** What computes, for example `simd`; undefined as long as that is not known. */
  readonly engine: () => string | undefined;
  /** Image formats that are decoded. */
  readonly formats: readonly string[];
  readonly limits: ServiceLimits;
  /** Told what became of each picture, for metrics. */
  readonly onResult?: (result: EmbedResult) => void;
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
  headers.set("portico-vector-space", manifest.fingerprint);
}
