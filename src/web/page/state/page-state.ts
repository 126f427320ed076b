import type { StageTimings } from "../../../embed/embedder.ts";
import type { Accuracy, VariantName } from "../../../embed/model-manifest.ts";
import type { PlainEmbedError } from "../../../errors.ts";
import type { Pixels } from "../../../image/pixels.ts";
import type { WayName } from "./way-names.ts";

/** Everything that the page shows: plain data, changed by `reduce` alone. */
export interface PageState {
  /** In the order in which they were added. */
  readonly pictures: readonly Picture[];
  readonly ways: Readonly<Record<WayName, Way>>;
  /** What is known of the model; undefined until its description was fetched. */
  readonly model: ModelSummary | undefined;
  /** The form of the model with which the ways in the browser compute; a server has its own. */
  readonly variant: VariantName;
  /** The way whose vectors are plotted and compared between pictures; undefined: the first that has any. */
  readonly comparedWay: WayName | undefined;
  /** Whether a processor plays the GPU, slowly; false while that is not known. */
  readonly isGpuSoftware: boolean;
  readonly isOnline: boolean;
  /** Something that concerns the page as a whole, in words: files that were left out, a description that cannot be fetched. */
  readonly notice: string;
}

/** What of a model manifest is shown or reckoned with. */
export interface ModelSummary {
  readonly name: string;
  readonly dimension: number;
  /** Largest absolute error beside Keras that a vector of fp32 may have, where its engine has no tolerance of its own. */
  readonly tolerance: number;
  /** All that there are, the largest first; which of them a browser may fetch is for the page's host to say. */
  readonly forms: readonly ModelForm[];
}

/** One form of a model, a vector space of its own. */
export interface ModelForm {
  readonly variant: VariantName;
  readonly vectorSpace: string;
  /** Bytes of the file that a browser downloads. */
  readonly bytes: number;
  /** How near its vectors are to Keras's; undefined for the model itself, whose engines have tolerances. */
  readonly accuracy?: Accuracy;
}

export interface Picture {
  readonly id: number;
  readonly name: string;
  /** Encoded bytes. */
  readonly bytes: number;
  readonly preview: Preview;
  /** One for each way that has begun with it. */
  readonly outcomes: Readonly<Partial<Record<WayName, Outcome>>>;
}

/** The picture as the model sees it. */
export type Preview =
  | { readonly kind: "waiting" }
  | {
      readonly kind: "ready";
      readonly format: string;
      /** Pixels of the picture itself. */
      readonly width: number;
      readonly height: number;
      /** (height, width, 3) uint8 RGB as the model takes it. */
      readonly seen: Pixels;
    }
  /** The picture cannot be read, so no way is asked for its vector. */
  | { readonly kind: "unreadable"; readonly error: PlainEmbedError }
  /** This page cannot show it; whether it can be read is for the ways to say. */
  | { readonly kind: "unavailable"; readonly error: PlainEmbedError };

/** What became of one picture on one way. */
export type Outcome =
  | { readonly kind: "working" }
  | {
      readonly kind: "done";
      /** (dimension) float32 with L2 norm 1. */
      readonly vector: Float32Array;
      readonly vectorSpace: string;
      /** What computed it; its tolerance goes by this name. */
      readonly engine: string;
      readonly timings: StageTimings;
      /** From the question to the answer, as this page saw it. */
      readonly totalMs: number;
    }
  | { readonly kind: "failed"; readonly error: PlainEmbedError };

/** A way to a vector, and how far it is. */
export interface Way {
  readonly isOn: boolean;
  readonly status: WayStatus;
  /** Why the model will be downloaded again at the next visit, in the browser's words; empty if it was kept. */
  readonly notKept: string;
  /** Times that what computes was lost and replaced since the way was switched on. */
  readonly losses: number;
  /** Why what computes was replaced the last time, in the engine's words; empty if it never was. */
  readonly replaced: string;
}

export type WayStatus =
  | { readonly kind: "off" }
  /** This browser or this build lacks something; `why` is a sentence. */
  | { readonly kind: "unavailable"; readonly why: string }
  /** Another way is opened first, since both fetch the same model. */
  | { readonly kind: "queued" }
  | { readonly kind: "downloading"; readonly receivedBytes: number; readonly totalBytes: number }
  | { readonly kind: "starting" }
  | {
      readonly kind: "ready";
      /** What computes; empty while a server does not know yet. */
      readonly engine: string;
      /** The name of the GPU, where one computes; else empty. */
      readonly adapter: string;
    }
  | { readonly kind: "failed"; readonly error: PlainEmbedError };

/** The most pictures that the page holds: their previews take 30 MB, their vectors 7 MB. */
export const picturesMax = 200;

/** The largest file that the page reads; it is held twice while it is worked on. A server takes 100 MiB in one message. */
export const pictureBytesMax = 100_000_000;
