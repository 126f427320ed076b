import type { Log } from "../node/observe/log.ts";

/** Exit code of a server whose calls in flight did not all end in time. */
export const cutOffExitCode = 1;

/** From the second signal to the end, whatever is still under way. */
const hurryMaxMs = 1_500;

/** How a server ended. */
export interface Stopped {
  readonly exitCode: number;
  readonly callsCutOff: number;
}

/** A service manager that signals a whole process group may reach the server twice at once: that is one signal. */
const oneSignalMs = 100;

/**
 * The first SIGTERM or SIGINT lets calls in flight end. The second of either, as the end of the grace, tells
 * their clients that they are cut off, and ends the process. The log says when all has ended.
 * @param stop its second argument aborts with the second signal
 */
export function stopOnSignals(
  log: Log,
  stop: (signal: NodeJS.Signals, hurry: AbortSignal) => Promise<Stopped>,
): void {
  const hurry = new AbortController();
  let askedAt: number | undefined;
  const onSignal = async (signal: NodeJS.Signals) => {
    if (askedAt !== undefined) {
      if (performance.now() - askedAt < oneSignalMs) return;
      hurry.abort();
      setTimeout(() => process.exit(cutOffExitCode), hurryMaxMs);
      return;
    }
    askedAt = performance.now();
    log.info({ signal }, "stopping: calls in flight may end");
    const { exitCode, callsCutOff } = await stop(signal, hurry.signal);
    log.info({ ms: Math.round(performance.now() - askedAt), callsCutOff }, "stopped");
    process.exit(exitCode);
  };
  process.on("SIGTERM", onSignal);
  process.on("SIGINT", onSignal);
}
