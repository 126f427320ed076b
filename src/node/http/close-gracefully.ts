import { EmbedError } from "../../errors.ts";
import type { RequestObserver } from "../observe/observe-requests.ts";
import type { OnePortServer } from "./one-port-server.ts";

/** How long a server that closes waits for its calls. */
export interface Grace {
  /** From the first word to the end of the process: the time for the last answers is part of it. */
  readonly graceMs: number;
  /** Ends the grace before its time. */
  readonly hurry?: AbortSignal;
}

/** Counts the requests in flight, and ends them when the time has come. */
export interface OpenCalls {
  readonly observer: RequestObserver;
  /** Aborts with a `SHUTTING_DOWN` error, which calls in flight then answer with. */
  readonly cutOff: AbortSignal;
  /**
   * Takes no more connections, lets calls in flight end, and tells those that did not in time.
   * @returns how many were cut off
   */
  close(server: OnePortServer, grace: Grace): Promise<number>;
}

/**
 * The last part of the grace, for the answers to calls that did not end. Where the grace is short, calls and
 * answers share it; answers get as long in any case, or `--grace-ms 0` could tell nobody.
 */
const answerMs = 1_000;

/** Of that, for the process to end once its connections have: who started it kills it when the grace is over. */
const exitMs = 250;

/** From the first word to the end of the process, in milliseconds, for a grace of `graceMs`. */
export function shutdownMaxMs(graceMs: number): number {
  return Math.max(graceMs, answerMs);
}

export function trackOpenCalls(): OpenCalls {
  const cutOff = new AbortController();
  let open = 0;
  let cutOffCalls = 0;

  function endGrace(server: OnePortServer, why: string): void {
    cutOffCalls += open;
    const message = `the server stops, and ${why}; call another one`;
    cutOff.abort(new EmbedError("SHUTTING_DOWN", message));
    void server.close({ graceMs: answerMs - exitMs });
  }

  return {
    observer: {
      onStart() {
        open += 1;
      },
      onEnd() {
        open -= 1;
      },
    },
    cutOff: cutOff.signal,
    async close(server, { graceMs, hurry }) {
      const callsMs = Math.max(graceMs - answerMs, Math.floor(graceMs / 2));
      const timer = setTimeout(
        () => endGrace(server, `calls in flight had ${callsMs} ms to end (--grace-ms ${graceMs})`),
        callsMs,
      );
      const onHurry = () => {
        clearTimeout(timer);
        endGrace(server, "was told to hurry");
      };
      if (hurry?.aborted) onHurry();
      else hurry?.addEventListener("abort", onHurry);
      await server.close({ graceMs: shutdownMaxMs(graceMs) - exitMs });
      clearTimeout(timer);
      hurry?.removeEventListener("abort", onHurry);
      return cutOffCalls;
    },
  };
}
