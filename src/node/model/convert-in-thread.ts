import { stat } from "node:fs/promises";
import { EmbedError } from "../../errors.ts";
import { runInThread } from "../pool/run-in-thread.ts";
import type { ConvertJob, PreparedModel } from "./model-convert.ts";

/**
 * The most time for reading and converting weights, whose own work is done in less than three seconds for each 100 MB:
 * a file whose hash is right is no stranger's, so this only ends what would never end.
 */
export const convertBaseMs = 120_000;
export const convertMsPerMegabyte = 500;

/** The most heap of the thread that converts; weights lie outside of it. */
const converterHeapMegabytes = 512;

interface ConvertOptions {
  /** Default: `convertBaseMs`, and `convertMsPerMegabyte` for what the file has. */
  readonly timeoutMs?: number;
  /** Stops the conversion at once. */
  readonly signal?: AbortSignal;
}

/**
 * Converts in a thread of its own, which would be held for seconds, with bounds on time and memory.
 * @throws EmbedError `CONVERT_INVALID` if it takes too long; what `convertWeights` throws; the signal's reason
 */
export async function convertInThread(
  job: ConvertJob,
  { timeoutMs, signal }: ConvertOptions = {},
): Promise<PreparedModel> {
  // .ts in the repository, .js in dist.
  const ending = import.meta.url.endsWith(".ts") ? ".ts" : ".js";
  const entry = new URL(`./model-convert-worker${ending}`, import.meta.url);
  const megabytes = (await stat(job.file)).size / 1e6;
  const limitMs = timeoutMs ?? convertBaseMs + Math.ceil(megabytes * convertMsPerMegabyte);
  const timeout = AbortSignal.timeout(limitMs);
  const either = signal ? AbortSignal.any([signal, timeout]) : timeout;
  try {
    return await runInThread<PreparedModel>(entry, job, either, {
      maxOldGenerationSizeMb: converterHeapMegabytes,
    });
  } catch (error) {
    if (error !== timeout.reason) throw error;
    throw new EmbedError("CONVERT_INVALID", `${job.file}: converting it took longer than ${limitMs} ms`);
  }
}
