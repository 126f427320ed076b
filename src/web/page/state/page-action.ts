import type { VariantName } from "../../../embed/model-manifest.ts";
import type { PlainEmbedError } from "../../../errors.ts";
import type { ModelSummary, Outcome, Preview, WayStatus } from "./page-state.ts";
import type { WayName } from "./way-names.ts";

/** Everything that can happen to the page's state. */
export type PageAction =
  | { readonly kind: "pictures-added"; readonly pictures: readonly NewPicture[] }
  | { readonly kind: "picture-removed"; readonly id: number }
  | { readonly kind: "pictures-cleared" }
  | { readonly kind: "preview-made"; readonly id: number; readonly preview: Preview }
  | { readonly kind: "outcome"; readonly id: number; readonly way: WayName; readonly outcome: Outcome }
  /** The picture is to be asked for again, as if the way had never seen it. */
  | { readonly kind: "outcome-forgotten"; readonly id: number; readonly way: WayName }
  | { readonly kind: "way-switched"; readonly way: WayName; readonly isOn: boolean }
  | { readonly kind: "way-status"; readonly way: WayName; readonly status: WayStatus }
  | { readonly kind: "way-not-kept"; readonly way: WayName; readonly why: string }
  | { readonly kind: "way-replaced"; readonly way: WayName; readonly why: string }
  | { readonly kind: "model-known"; readonly model: ModelSummary }
  /** The ways in the browser begin anew with it, those that are on. */
  | { readonly kind: "variant-chosen"; readonly variant: VariantName }
  | { readonly kind: "compared-way"; readonly way: WayName }
  | { readonly kind: "gpu-is-software" }
  | { readonly kind: "online"; readonly isOnline: boolean }
  | { readonly kind: "notice"; readonly text: string };

export interface NewPicture {
  readonly id: number;
  readonly name: string;
  /** Encoded bytes. */
  readonly bytes: number;
  /** Set if the page will not even read it. */
  readonly refusal?: PlainEmbedError;
}
