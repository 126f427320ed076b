import { isMainThread, parentPort, workerData } from "node:worker_threads";
import type { CrewCommand } from "../../src/node/pool/crew-protocol.ts";
import type { DecodeStart, WorkerCommand, WorkerSetup } from "../../src/node/pool/worker-protocol.ts";
import { type Fault, faultOf } from "./marked-picture.ts";

/**
 * Preloaded into a server with NODE_OPTIONS=--import (which reaches its threads): the workers are the real ones,
 * but misbehave on pictures that are marked, before their own code sees them. With PORTICO_TEST_DRIFT set, the
 * engine's vectors differ from the golden one, as a broken engine's would.
 */

/** A JavaScript heap grows by objects, WebAssembly memory lies outside of it. */
const hoard: object[] = [];

const misbehave: Readonly<Record<Fault, () => void>> = {
  hang: () => {
    for (;;);
  },
  heap: () => {
    for (;;) hoard.push({ more: hoard.length });
  },
  exit: () => process.exit(7),
  throw: () => {
    throw new RangeError("an uncaught error of the test");
  },
  grow: () => {
    hoard.push(new WebAssembly.Memory({ initial: 8192, maximum: 8192 }));
  },
};

if (!isMainThread && parentPort && takesPictures(workerData)) {
  parentPort.on("message", (command: WorkerCommand | CrewCommand) => {
    const fault = "bytes" in command ? faultOf(command.bytes) : undefined;
    if (fault) misbehave[fault]();
  });
  if (process.env.PORTICO_TEST_DRIFT && "selfCheck" in workerData) {
    (workerData.selfCheck.vector as Float32Array)[7] = 0.5;
  }
}

/** Other threads (the converter's) behave. */
function takesPictures(data: unknown): data is DecodeStart | WorkerSetup {
  return typeof data === "object" && data !== null && "codecs" in data;
}
