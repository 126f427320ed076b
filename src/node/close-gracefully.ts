import { EmbedError } from "../errors.ts";
import type { RequestObserver } from "./observe-requests.ts";
import type { OnePortServer } from "./one-port-server.ts";

/** How long a server that closes waits for its calls. */
export interface Grace {
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
   * Takes no more connections, lets calls in flight end, and after the grace tells those that did not.
   * @returns how many were cut off
   */
  close(server: OnePortServer, grace: Grace): Promise<number>;
}

/** After the grace, for the last answers to be sent. */
const answerMs = 1_000;

export function trackOpenCalls(): OpenCalls {
  const cutOff = new AbortController();
  let open = 0;
  let cutOffCalls = 0;

  function endGrace(server: OnePortServer, why: string): void {
    cutOffCalls += open;
    const message = `the server stops, and ${why}; call another one`;
    cutOff.abort(new EmbedError("SHUTTING_DOWN", message));
    void server.close({ graceMs: answerMs });
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
      const timer = setTimeout(
        () => endGrace(server, `calls in flight had ${graceMs} ms to end (--grace-ms)`),
        graceMs,
      );
      const onHurry = () => {
        clearTimeout(timer);
        endGrace(server, "was told to hurry");
      };
      if (hurry?.aborted) onHurry();
      else hurry?.addEventListener("abort", onHurry);
      await server.close({ graceMs: graceMs + answerMs });
      clearTimeout(timer);
      hurry?.removeEventListener("abort", onHurry);
      return cutOffCalls;
    },
  };
}
