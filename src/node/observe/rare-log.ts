import type { HttpLog } from "../http/http-types.ts";

/** A line that any client can cause is told at most this often, so that none fills the log. */
const rareLogIntervalMs = 60_000;

/**
 * A log for what strangers cause: of each message the first is told at once, the others of the following
 * minute only as `suppressed`, their number, with the next one.
 */
export function createRareLog(log: HttpLog, intervalMs = rareLogIntervalMs): HttpLog {
  const byMessage = new Map<string, { toldAt: number; suppressed: number }>();
  return (level, message, fields) => {
    const before = byMessage.get(message);
    const now = performance.now();
    if (before && now - before.toldAt < intervalMs) {
      before.suppressed += 1;
      return;
    }
    byMessage.set(message, { toldAt: now, suppressed: 0 });
    log(level, message, before?.suppressed ? { ...fields, suppressed: before.suppressed } : fields);
  };
}
