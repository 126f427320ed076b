import type { Reason } from "../../../errors.ts";
import type { WayName } from "../state/way-names.ts";

/**
 * Reasons that end a way and not only a picture: what it stands on is gone, and every other picture would meet the same.
 */
const serverFaults: readonly Reason[] = ["SERVER_UNREACHABLE", "UNAUTHENTICATED", "SHUTTING_DOWN"];

const isServerFault = (reason: Reason): boolean => serverFaults.includes(reason);

/** The Web Worker or its GPU is lost; another one may do. On a server this is one picture's bad luck: it replaces workers itself. */
const isEngineLost = (reason: Reason): boolean => reason === "ENGINE_FAILED" || reason === "SHUTTING_DOWN";

export function isWayFault(way: WayName, reason: Reason): boolean {
  return way === "server" ? isServerFault(reason) : isEngineLost(reason);
}
