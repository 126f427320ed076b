import type { VariantName } from "../../embed/model-manifest.ts";
import { type WayName, wayNames } from "./state/way-names.ts";

const waysKey = "portico-ways";
const variantKey = "portico-variant";

/** The ways that were on at the last visit; undefined at the first one, or where the browser keeps nothing. */
export function readChoices(): readonly WayName[] | undefined {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(waysKey) ?? "null");
    return Array.isArray(kept) ? wayNames.filter((way) => kept.includes(way)) : undefined;
  } catch {
    // Storage is switched off, or holds what another program wrote: as at a first visit.
    return undefined;
  }
}

export function writeChoices(ways: readonly WayName[]): void {
  try {
    localStorage.setItem(waysKey, JSON.stringify(ways));
  } catch {
    // Storage is switched off or full: the next visit begins as the first one.
  }
}

/** The form of the model at the last visit, if it is still offered; else the first one, and fp32 if there is none. */
export function readVariant(offered: readonly VariantName[]): VariantName {
  const [first = "fp32"] = offered;
  try {
    const kept = localStorage.getItem(variantKey);
    return offered.find((variant) => variant === kept) ?? first;
  } catch {
    // Storage is switched off: as at a first visit.
    return first;
  }
}

export function writeVariant(variant: VariantName): void {
  try {
    localStorage.setItem(variantKey, variant);
  } catch {
    // Storage is switched off or full: the next visit begins as the first one.
  }
}
