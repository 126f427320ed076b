/** A thread that was lost is started again after this long, doubled for each start that fails, up to the cap. */
const firstDelayMs = 100;
const maxDelayMs = 5_000;

/** @param failures starts that have failed one after the other */
export function restartDelayMs(failures: number): number {
  return Math.min(firstDelayMs * 2 ** failures, maxDelayMs);
}
