import type { Reason } from "../../../errors.ts";
import type { WayName } from "../state/way-names.ts";

/** Reasons that end the way over a server: every other picture would meet the same. */
const serverFaults: readonly Reason[] = ["SERVER_UNREACHABLE", "UNAUTHENTICATED", "SHUTTING_DOWN"];

/**
 * Whether an error says that the way as a whole is broken, at once or if it comes again. On a server a lost engine is one
 * picture's bad luck: it replaces engines itself.
 */
export function isWayFault(way: WayName, reason: Reason): boolean {
  return way === "server" ? serverFaults.includes(reason) : reason === "ENGINE_FAILED";
}

/**
 * Faults in a row, without a vector between them, after which a way is taken to be broken. An embedder in the browser
 * replaces what it loses, so the next picture may well succeed.
 */
export const faultsInRowMax: Readonly<Record<WayName, number>> = {
  server: 1,
  simd: 2,
  "ort-wasm": 2,
  "ort-webgpu": 2,
};
