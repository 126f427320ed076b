import type { PageConfig } from "../page-config.ts";
import type { WayName } from "../state/way-names.ts";

/** What this page or this browser lacks for a way, as a sentence; undefined if it may be tried. */
export function whyUnavailable(way: WayName, { server, models }: PageConfig): string | undefined {
  if (way === "server") return server === undefined ? "This page was built without a server." : undefined;
  if (models.length === 0) return "No model lies beside this page.";
  if (!globalThis.isSecureContext) {
    return "Browsers allow it only on pages that come over https or from localhost.";
  }
  if (way === "ort-webgpu" && !("gpu" in navigator)) return "This browser has no WebGPU.";
  return undefined;
}
