import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import type { ReadKerasModel } from "../../convert/keras-format/read-keras-model.ts";
import { EmbedError } from "../../errors.ts";
import { runInThread } from "../pool/run-in-thread.ts";
import type { ModelFiles } from "./read-model-file.ts";

/**
 * The most time for reading a model, whose own work is done in less than a second for each 100 MB: a damaged file can
 * send a library round in circles.
 */
export const readModelBaseMs = 30_000;
export const readModelMsPerMegabyte = 100;

/** The most heap of the thread that reads; weights lie outside of it. */
const readerHeapMegabytes = 512;

interface ReadModelOptions {
  /** Default: `readModelBaseMs`, and `readModelMsPerMegabyte` for what the file has. */
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
  const limitMs = timeoutMs ?? (await defaultTimeoutMs(files));
  const timeout = AbortSignal.timeout(limitMs);
  const either = signal ? AbortSignal.any([signal, timeout]) : timeout;
  try {
    return await runInThread<ReadKerasModel>(entry, files, either, {
      maxOldGenerationSizeMb: readerHeapMegabytes,
    });
  } catch (error) {
    if (error === timeout.reason) {
      throw new EmbedError("CONVERT_INVALID", `${files.file}: reading it took longer than ${limitMs} ms`);
    }
    if (error instanceof EmbedError && error.reason === "INTERNAL") {
      throw new EmbedError("CONVERT_INVALID", `${files.file} cannot be read: ${error.message}`, {
        cause: error,
      });
    }
    throw error;
  }
}

async function defaultTimeoutMs({ folder, file }: ModelFiles): Promise<number> {
  // A file that is not there is the thread's to name.
  const size = await stat(resolve(folder, file)).then(
    (found) => found.size,
    () => 0,
  );
  return readModelBaseMs + Math.ceil((size / 1e6) * readModelMsPerMegabyte);
}
