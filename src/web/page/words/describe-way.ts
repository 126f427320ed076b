import type { Way } from "../state/page-state.ts";
import type { WayName } from "../state/way-names.ts";
import { describeError } from "./describe-error.ts";
import { formatBytes } from "./format-bytes.ts";

/** How far a way is, in a few words. */
export function describeWay(way: WayName, { status }: Way): string {
  switch (status.kind) {
    case "off":
      return "Off";
    case "unavailable":
      return `Not available here. ${status.why}`;
    case "queued":
      return "Waiting for another engine to open";
    case "downloading": {
      const { receivedBytes, totalBytes } = status;
      return `Downloading the model: ${formatBytes(receivedBytes)} of ${formatBytes(totalBytes)}`;
    }
    case "starting":
      return way === "server" ? "Waiting for the server" : "Starting";
    case "ready":
      return status.engine === "" ? "Ready" : `Ready, engine ${status.engine}`;
    case "failed":
      return describeError(status.error).sentence;
  }
}
