import { setTimeout } from "node:timers/promises";
import { shutdownMaxMs } from "../node/http/close-gracefully.ts";
import type { Log } from "../node/observe/log.ts";
import type { RunningServer } from "../node/start-server.ts";
import type { ShutdownOptions } from "./shutdown-options.ts";
import { cutOffExitCode, stopOnSignals } from "./stop-on-signals.ts";

/** What ends with a server, and in which order. */
export interface StoppableServer {
  readonly server: RunningServer;
  /** First of all: it is not ready from now on. */
  readonly endReadiness: () => void;
  /** Workers and collectors, once no call is left. */
  readonly close: () => Promise<unknown>;
  /** Of a stop in which no call was cut off. */
  readonly exitCode: (signal: NodeJS.Signals) => number;
}

/** Stops a server when the process is asked to end: calls in flight may end, for as long as the options say. */
export function stopServerOnSignals(log: Log, options: ShutdownOptions, stoppable: StoppableServer): void {
  const { shutdownDelayMs, graceMs } = options;
  stopOnSignals(log, async (signal, hurry) => {
    const exitCode = stoppable.exitCode(signal);
    stoppable.endReadiness();
    // The second signal ends it.
    await setTimeout(shutdownDelayMs, undefined, { signal: hurry }).catch(() => undefined);
    const endsAt = performance.now() + shutdownMaxMs(graceMs);
    const callsCutOff = await stoppable.server.close({ graceMs, hurry });
    if (callsCutOff > 0) log.warn({ calls: callsCutOff }, "calls in flight were cut off");
    // A collector that hangs takes no more than what is left of the grace.
    await Promise.race([stoppable.close(), setTimeout(Math.max(0, endsAt - performance.now()))]);
    return { exitCode: exitCode === 0 && callsCutOff > 0 ? cutOffExitCode : exitCode, callsCutOff };
  });
}
