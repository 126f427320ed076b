import { timerMaxMs } from "../timer-max-ms.ts";

/** Of the age of a connection, either way. */
const jitter = 0.1;

/**
 * How long one connection may last, in milliseconds.
 * @param maxAgeMs what all may on average; may be infinite
 * @param random from 0 to 1
 */
export function connectionAgeMs(maxAgeMs: number, random = Math.random()): number {
  const ageMs = maxAgeMs * (1 + jitter * (2 * random - 1));
  return Number.isFinite(ageMs) ? Math.min(ageMs, timerMaxMs) : ageMs;
}
