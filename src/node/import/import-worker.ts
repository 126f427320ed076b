import { parentPort, workerData } from "node:worker_threads";
import { EmbedError } from "../../errors.ts";
import type { ThreadReply } from "../pool/run-in-thread.ts";
import { importFile } from "./import-file.ts";
import type { ImportedFile, ImportJob } from "./import-job.ts";

/** Entry of the thread that reads and converts one model file of a stranger. */

const port = parentPort;
if (!port) throw new EmbedError("CONFIG_INVALID", "import-worker must be started as a worker thread");

try {
  const value = await importFile(workerData as ImportJob);
  const reply: ThreadReply<ImportedFile> = { ok: true, value };
  port.postMessage(reply, [value.onnx.buffer]);
} catch (error) {
  const reply: ThreadReply<ImportedFile> = { ok: false, error: EmbedError.from(error).toPlain() };
  port.postMessage(reply);
}
