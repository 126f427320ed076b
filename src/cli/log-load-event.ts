import type { Log } from "../node/observe/log.ts";
import type { LoadEvent } from "../node/serving/model-loader.ts";

/** One line for what became of a model, in a log whose lines name it. */
export function logLoadEvent(log: Log, event: LoadEvent): void {
  if (event.kind === "loaded") {
    log.info({ ms: Math.round(event.ms), memoryBytes: event.bytes }, "the model is in memory");
  }
  if (event.kind === "unloaded") {
    log.info({ memoryBytes: event.bytes }, "the model was taken out of memory, to make room for another");
  }
  if (event.kind === "left-out") {
    const { bytes, freeBytes } = event;
    log.warn(
      { memoryBytes: bytes, freeBytes },
      "the model was not loaded: --max-model-memory-bytes has no room for it; its first call takes another one out of memory",
    );
  }
  if (event.kind === "load-failed") {
    const { error, retryInMs } = event;
    const cause = error.cause === undefined ? {} : { cause: String(error.cause) };
    // That there was no room is no fault of the model.
    const level = error.reason === "OVERLOADED" ? "warn" : "error";
    log[level](
      { reason: error.reason, retryInMs, ...cause },
      `the model could not be loaded: ${error.message}`,
    );
  }
}
