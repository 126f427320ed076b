import { parentPort } from "node:worker_threads";
import { convertKeras } from "../../src/convert/convert-keras.ts";
import { readKerasModel } from "../../src/convert/keras-format/read-keras-model.ts";
import { EmbedError } from "../../src/errors.ts";
import { loadHdf5 } from "../../src/node/model/load-hdf5.ts";
import type { DamagedModel } from "./model-mutations.ts";

/** Entry of the thread that reads damaged models, one after another; `model-mutation.ts` starts and ends it. */

export interface ModelOutcome {
  /** `converted`, or the reason of its typed error. */
  readonly name: string;
  /** Another error than a typed one. */
  readonly fault?: string;
  readonly cpuMs: number;
}

parentPort!.on("message", async ({ file, topology, files }: DamagedModel) => {
  const before = process.threadCpuUsage();
  const end = (name: string, fault?: string) => {
    const { user, system } = process.threadCpuUsage(before);
    const outcome: ModelOutcome = { name, ...(fault && { fault }), cpuMs: (user + system) / 1000 };
    parentPort!.postMessage(outcome);
  };
  try {
    const read = async (path: string) => {
      const bytes = files[path];
      if (!bytes) throw new EmbedError("MODEL_UNREACHABLE", `there is no ${path}`);
      return bytes;
    };
    const model = await readKerasModel({ file, ...(topology && { topology }), read, loadHdf5 });
    const outputLayer = model.topology.outputs[0]?.layer ?? "";
    convertKeras(model, { outputLayer, inputShape: [6, 6, 3] });
    end("converted");
  } catch (error) {
    if (error instanceof EmbedError && error.reason !== "INTERNAL") end(error.reason);
    else end("fault", String(error));
  }
});
