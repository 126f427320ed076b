import { dirname, resolve } from "node:path";
import type { EncoderWishes } from "../../convert/infer/infer-encoder.ts";
import type { Interpolation } from "../../preprocess/preprocess-spec.ts";
import { readModelTime } from "../model/read-model-in-thread.ts";
import { runInBoundedThread, type ThreadTime } from "../model/run-in-bounded-thread.ts";
import type { ImportedFile, ImportJob } from "./import-job.ts";

/** The most time for converting a model beyond that for reading it: ResNet50 takes less than a second. */
export const convertModelTime: ThreadTime = { baseMs: 30_000, msPerMegabyte: 200 };

/** .ts in the repository, .js in dist. */
const importWorker = new URL(
  `./import-worker.${import.meta.url.endsWith(".ts") ? "ts" : "js"}`,
  import.meta.url,
);

export interface ImportFileOptions {
  /** Its first bytes decide what it is, not its name. */
  readonly file: string;
  /** For a file that holds weights alone: a file with the topology. */
  readonly topology?: string;
  readonly wishes: EncoderWishes;
  /** How pictures are resized; nothing in a file says it. */
  readonly interpolation: Interpolation;
  /** As `ImportJob` has it. */
  readonly isForKeras?: boolean;
  /** The most time for reading and converting. Default: what `readModelTime` and `convertModelTime` say for the file. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/**
 * Reads and converts a model file of any kind in a thread of its own, with bounds on time and memory.
 * @throws EmbedError `CONFIG_INVALID` naming the flag that must say what does not follow from the file;
 *   `CONVERT_INVALID`, `CONVERT_UNSUPPORTED_LAYER`, `MODEL_UNREACHABLE`; the signal's reason
 */
export function importInThread({ file, topology, ...options }: ImportFileOptions): Promise<ImportedFile> {
  const { wishes, interpolation, isForKeras = false, timeoutMs, signal } = options;
  const job: ImportJob = {
    folder: dirname(resolve(file)),
    file: resolve(file),
    ...(topology !== undefined && { topology: resolve(topology) }),
    ...{ wishes, interpolation, isForKeras },
  };
  return runInBoundedThread<ImportedFile>(importWorker, job, {
    what: "reading and converting",
    baseMs: readModelTime.baseMs + convertModelTime.baseMs,
    msPerMegabyte: readModelTime.msPerMegabyte + convertModelTime.msPerMegabyte,
    timeoutMs,
    signal,
  });
}
