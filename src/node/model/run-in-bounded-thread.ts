import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { EmbedError } from "../../errors.ts";
import { runInThread } from "../pool/run-in-thread.ts";
import type { ModelFiles } from "./read-model-file.ts";

/** The most heap of a thread that reads or converts a model; weights lie outside of it. */
const heapMegabytes = 512;

/** The most time of a thread: so much, and so much more for each megabyte of its file. */
export interface ThreadTime {
  readonly baseMs: number;
  readonly msPerMegabyte: number;
}

interface BoundedWork extends ThreadTime {
  /** What the thread does, for the message that says that it took too long: `reading`. */
  readonly what: string;
  /** Instead of what follows from the file's size. */
  readonly timeoutMs?: number | undefined;
  /** Ends the thread at once. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs a module over the files of a model in a thread of its own, with bounds on its time and heap: they may be a
 * stranger's.
 * @param input the thread's `workerData`; it names the files
 * @throws EmbedError `CONVERT_INVALID` if it took too long or ended without an answer; whatever the thread posted; the
 *   signal's reason
 */
export async function runInBoundedThread<T>(entry: URL, input: ModelFiles, work: BoundedWork): Promise<T> {
  const limitMs = work.timeoutMs ?? (await timeFor(input, work));
  const timeout = AbortSignal.timeout(limitMs);
  const either = work.signal ? AbortSignal.any([work.signal, timeout]) : timeout;
  try {
    return await runInThread<T>(entry, input, either, { maxOldGenerationSizeMb: heapMegabytes });
  } catch (error) {
    if (error === timeout.reason) {
      throw new EmbedError(
        "CONVERT_INVALID",
        `${input.file}: ${work.what} it took longer than ${limitMs} ms`,
      );
    }
    if (error instanceof EmbedError && error.reason === "INTERNAL") {
      throw new EmbedError("CONVERT_INVALID", `${input.file} cannot be read: ${error.message}`, {
        cause: error,
      });
    }
    throw error;
  }
}

async function timeFor({ folder, file }: ModelFiles, { baseMs, msPerMegabyte }: ThreadTime): Promise<number> {
  // A file that is not there is the thread's to name.
  const size = await stat(resolve(folder, file)).then(
    (found) => found.size,
    () => 0,
  );
  return baseMs + Math.ceil((size / 1e6) * msPerMegabyte);
}
