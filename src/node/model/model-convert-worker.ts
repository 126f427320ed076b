import { parentPort, workerData } from "node:worker_threads";
import { EmbedError } from "../../errors.ts";
import type { ThreadReply } from "../pool/run-in-thread.ts";
import { type ConvertJob, convertWeights, type PreparedModel } from "./model-convert.ts";

/** Entry of the thread that converts one file of weights; a conversion would hold the main thread for seconds. */

const port = parentPort;
if (!port) throw new EmbedError("CONFIG_INVALID", "model-convert-worker must be started as a worker thread");

function post(reply: ThreadReply<PreparedModel>, transfer: ArrayBuffer[] = []): void {
  port?.postMessage(reply, transfer);
}

try {
  const prepared = await convertWeights(workerData as ConvertJob);
  post({ ok: true, value: prepared }, [prepared.bytes.buffer]);
} catch (error) {
  post({ ok: false, error: EmbedError.from(error).toPlain() });
}
