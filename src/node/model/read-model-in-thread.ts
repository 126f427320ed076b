import type { ReadKerasModel } from "../../convert/keras-format/read-keras-model.ts";
import type { ModelFiles } from "./read-model-file.ts";
import { runInBoundedThread, type ThreadTime } from "./run-in-bounded-thread.ts";

/**
 * The most time for reading a model, whose own work is done in less than a second for each 100 MB: a damaged file can
 * send a library round in circles.
 */
export const readModelTime: ThreadTime = { baseMs: 30_000, msPerMegabyte: 100 };

interface ReadModelOptions {
  /** Default: what `readModelTime` says for the file. */
  readonly timeoutMs?: number;
  /** Stops the reading at once. */
  readonly signal?: AbortSignal;
}

/**
 * Reads a Keras model in a thread of its own, with bounds on time and memory: the file may be a stranger's.
 * @throws EmbedError `CONVERT_INVALID`, `CONVERT_UNSUPPORTED_LAYER`, `MODEL_UNREACHABLE`; the signal's reason
 */
export async function readModelInThread(
  files: ModelFiles,
  { timeoutMs, signal }: ReadModelOptions = {},
): Promise<ReadKerasModel> {
  const entry = new URL(
    `./read-model-worker${import.meta.url.endsWith(".ts") ? ".ts" : ".js"}`,
    import.meta.url,
  );
  return runInBoundedThread<ReadKerasModel>(entry, files, {
    ...readModelTime,
    what: "reading",
    timeoutMs,
    signal,
  });
}
