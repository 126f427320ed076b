import type { EncoderReasons, EncoderWishes } from "../../convert/infer/infer-encoder.ts";
import type { FileModelSource, ModelManifest } from "../../embed/model-manifest.ts";
import type { Interpolation } from "../../preprocess/preprocess-spec.ts";
import type { ModelFiles } from "../model/read-model-file.ts";

/** What the thread that imports a model is started with: plain data. */
export interface ImportJob extends ModelFiles {
  readonly wishes: EncoderWishes;
  /** How pictures are resized; nothing in a file says it. */
  readonly interpolation: Interpolation;
  /** Keras is going to load the file too: what it might run of it is refused. Default: false. */
  readonly isForKeras?: boolean;
}

/** What that thread gives: an ONNX model, and what its manifest is to say. */
export interface ImportedFile
  extends Pick<ModelManifest, "outputLayer" | "preprocess" | "pooling" | "fingerprint"> {
  readonly onnx: Uint8Array<ArrayBuffer>;
  /** Of the ONNX model, hexadecimal. */
  readonly sha256: string;
  /** Of the ONNX model: the length of a vector. */
  readonly dimension: number;
  readonly source: FileModelSource;
  readonly why: EncoderReasons;
}
