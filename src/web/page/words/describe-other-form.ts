import type { Distance } from "../state/compare-ways.ts";
import { formatShortCosine } from "./format-numbers.ts";

/** Two vectors of one picture whose spaces differ: `another vector space: int8; cosine 0.9987`. */
export function describeOtherForm({
  firstVariant,
  secondVariant,
  cosine,
}: Extract<Distance, { kind: "other-form" }>): string {
  // Keras's own is what the other one is held against.
  const others = [firstVariant, secondVariant].filter((variant) => variant !== "fp32");
  return `another vector space: ${others.join(" and ")}; cosine ${formatShortCosine(cosine)}`;
}
