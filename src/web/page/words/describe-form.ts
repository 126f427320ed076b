import type { ModelForm } from "../state/page-state.ts";
import { formatBytes } from "./format-bytes.ts";

/** A form of the model as it is chosen: `int8, 23.9 MB`. */
export const titleOfForm = ({ variant, bytes }: ModelForm): string => `${variant}, ${formatBytes(bytes)}`;

/** What the vectors of a form are, for those who choose it. */
export function describeForm({ accuracy }: ModelForm): string {
  if (!accuracy) return "Its vectors are those of Keras.";
  return `Cosine to Keras's vectors ${describeAccuracy(accuracy)}. A vector space of its own: its vectors belong in no index with others.`;
}

/** `at least 0.998 for photographs, 0.98 for every test picture` */
export function describeAccuracy({ photoMinCosine, minCosine }: NonNullable<ModelForm["accuracy"]>): string {
  if (photoMinCosine === minCosine) return `at least ${minCosine}`;
  return `at least ${photoMinCosine} for photographs, ${minCosine} for every test picture`;
}
