import type { PlainEmbedError } from "../../../errors.ts";
import type { Pixels } from "../../../image/pixels.ts";
import type { PreprocessSpec } from "../../../preprocess/preprocess-spec.ts";

/** Page to worker: one picture; `bytes` are transferred. */
export interface PreviewCommand {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly preprocess: PreprocessSpec;
}

export interface PreviewPicture {
  readonly ok: true;
  readonly format: string;
  /** Pixels of the picture itself. */
  readonly width: number;
  readonly height: number;
  /** (height, width, 3) uint8 RGB as the model takes it. */
  readonly seen: Pixels;
}

/** Worker to page: one for each command, in order. */
export type PreviewMessage = PreviewPicture | { readonly ok: false; readonly error: PlainEmbedError };
