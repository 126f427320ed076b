import type { PageState } from "../state/page-state.ts";
import { type WayName, wayNames } from "../state/way-names.ts";
import { describeError } from "./describe-error.ts";

/** For each way that is on: why a picture that it has not begun with has no vector of it yet. */
export type Waiting = Readonly<Partial<Record<WayName, string>>>;

export function describeWaiting({ ways }: PageState): Waiting {
  return Object.fromEntries(
    wayNames.filter((way) => ways[way].isOn).map((way) => [way, reasonToWait(ways[way].status)]),
  );
}

function reasonToWait(status: PageState["ways"][WayName]["status"]): string {
  if (status.kind === "ready") return "Waits for its turn";
  if (status.kind === "failed") return `Not computed. ${describeError(status.error).sentence}`;
  return status.kind === "downloading" ? "Waits for the model" : "Waits for the start";
}
