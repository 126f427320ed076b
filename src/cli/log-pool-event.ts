import type { Log } from "../node/observe/log.ts";
import type { PoolEvent } from "../node/pool/worker-pool.ts";

/** One line for what happened to a worker. */
export function logPoolEvent(log: Log, event: PoolEvent): void {
  if (event.kind === "worker-ready") {
    const { startMs, maxAbsError } = event;
    log.debug({ startMs: Math.round(startMs), maxAbsError }, "a worker passed its self-check");
  }
  if (event.kind === "worker-outgrown") {
    const { wasmBytes } = event;
    log.info({ wasmBytes }, "a worker has grown beyond --worker-max-memory-bytes and is being replaced");
  }
  if (event.kind === "worker-lost") {
    const { error, restartInMs } = event;
    log.error({ reason: error.reason, cause: String(error.cause ?? ""), restartInMs }, error.message);
  }
}
