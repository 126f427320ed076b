import { parentPort, workerData } from "node:worker_threads";
import { type ReadKerasModel, readKerasModel } from "../../convert/keras-format/read-keras-model.ts";
import { EmbedError } from "../../errors.ts";
import type { ThreadReply } from "../pool/run-in-thread.ts";
import { loadHdf5 } from "./load-hdf5.ts";
import { type ModelFiles, readModelFile } from "./read-model-file.ts";

/** Entry of the thread that reads one Keras model of a stranger. */

const port = parentPort;
if (!port) throw new EmbedError("CONFIG_INVALID", "read-model-worker must be started as a worker thread");

const { folder, file, topology } = workerData as ModelFiles;

try {
  const model = await readKerasModel({
    file,
    ...(topology !== undefined && { topology }),
    read: (path) => readModelFile(folder, path),
    loadHdf5,
  });
  const buffers = new Set([...model.weights.values()].map(({ data }) => data.buffer as ArrayBuffer));
  const reply: ThreadReply<ReadKerasModel> = { ok: true, value: model };
  port.postMessage(reply, [...buffers]);
} catch (error) {
  const reply: ThreadReply<ReadKerasModel> = { ok: false, error: EmbedError.from(error).toPlain() };
  port.postMessage(reply);
}
