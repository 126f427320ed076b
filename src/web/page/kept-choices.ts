import { type WayName, wayNames } from "./state/way-names.ts";

const key = "portico-ways";

/** The ways that were on at the last visit; undefined at the first one, or where the browser keeps nothing. */
export function readChoices(): readonly WayName[] | undefined {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(key) ?? "null");
    return Array.isArray(kept) ? wayNames.filter((way) => kept.includes(way)) : undefined;
  } catch {
    // Storage is switched off, or holds what another program wrote: as at a first visit.
    return undefined;
  }
}

export function writeChoices(ways: readonly WayName[]): void {
  try {
    localStorage.setItem(key, JSON.stringify(ways));
  } catch {
    // Storage is switched off or full: the next visit begins as the first one.
  }
}
