import type { Log } from "./log.ts";

/** A collector that is away fails every few seconds; one line a minute says as much. */
const intervalMs = 60_000;

/**
 * Logs what OpenTelemetry complains of: the first at once, then one line a minute at most, which says how many
 * there were.
 */
export function createFailureReport(
  log: Pick<Log, "warn">,
  now: () => number = () => performance.now(),
): (...complaint: readonly unknown[]) => void {
  let silentUntil = Number.NEGATIVE_INFINITY;
  let unreported = 0;
  return (...complaint) => {
    unreported += 1;
    if (now() < silentUntil) return;
    log.warn(
      { failures: unreported, why: complaint.map(describe).join(" ").slice(0, 500) },
      "traces were not sent",
    );
    silentUntil = now() + intervalMs;
    unreported = 0;
  };
}

/** OpenTelemetry hands errors over as JSON with a stack; the message is what helps. */
function describe(part: unknown): string {
  if (part instanceof Error) return part.message;
  try {
    const { message } = JSON.parse(String(part)) as { message?: unknown };
    return typeof message === "string" ? message : String(part);
  } catch {
    return String(part);
  }
}
