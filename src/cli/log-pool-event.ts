import type { Log } from "../node/observe/log.ts";
import type { PoolEvent } from "../node/pool/worker-pool.ts";

export function describePassedOver({ error }: Extract<PoolEvent, { kind: "engine-passed-over" }>): string {
  return `an engine was passed over: ${error.message}`;
}

/** One line for what happened to a worker, in a log whose lines name its model. */
export function logPoolEvent(log: Log, event: PoolEvent): void {
  if (event.kind === "worker-ready") {
    const { kind: _, startMs, ...facts } = event;
    log.debug({ ...facts, startMs: Math.round(startMs) }, "a worker passed its self-check");
  }
  if (event.kind === "engine-passed-over") {
    const { engine, next, error } = event;
    const cause = error.cause === undefined ? {} : { cause: String(error.cause) };
    log.warn({ engine, next, reason: error.reason, ...cause }, describePassedOver(event));
  }
  if (event.kind === "device-replaced") {
    const { reason, message, cause } = event.error;
    log.warn({ reason, cause: String(cause ?? "") }, message);
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
