import type { PageState } from "../state/page-state.ts";
import { wayNames, wayTitles } from "../state/way-names.ts";

/** Says that the page has no network or no server, and which ways work nevertheless; undefined while both are there. */
export function describeOffline({ isOnline, ways }: PageState): string | undefined {
  const { status } = ways.server;
  const isServerGone = status.kind === "failed" && status.error.reason === "SERVER_UNREACHABLE";
  if (isOnline && !isServerGone) return undefined;
  const why = isOnline ? "The server does not answer." : "You are offline.";
  const ready = wayNames.filter((way) => ways[way].status.kind === "ready" && (way !== "server" || isOnline));
  const what =
    ready.length === 0
      ? "An engine in this browser works if it was used here before: its model was kept then."
      : `What works: ${ready.map((way) => wayTitles[way]).join("; ")}.`;
  return `${why} ${what}`;
}
