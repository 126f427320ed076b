import { parentPort, workerData } from "node:worker_threads";
import { createPrepareImage } from "../../embed/prepare-image.ts";
import { EmbedError } from "../../errors.ts";
import { createDecodeImage } from "../../image/decode-image.ts";
import type { CrewCommand } from "./crew-protocol.ts";
import { watchWasmMemory } from "./wasm-memory.ts";
import type { DecodeMessage, DecodeStart } from "./worker-protocol.ts";

/** Entry of a thread without an engine: one picture at a time, from encoded bytes to the tensor that an engine takes. */

const wasmBytes = watchWasmMemory();
const port = parentPort;
if (!port) throw new EmbedError("CONFIG_INVALID", "decode-worker must be started as a worker thread");

function post(message: DecodeMessage, transfer: ArrayBuffer[] = []): void {
  port?.postMessage(message, transfer);
}

const { codecs, limits, preprocess } = workerData as DecodeStart;
const prepareImage = createPrepareImage({
  decode: createDecodeImage(codecs, limits),
  preprocess,
  now: () => performance.now(),
});

async function decodeOne({ id, bytes }: CrewCommand): Promise<void> {
  try {
    const image = await prepareImage(bytes);
    post({ kind: "result", id, result: image, wasmBytes: wasmBytes() }, [image.tensor.buffer as ArrayBuffer]);
  } catch (error) {
    const failure = { ok: false, error: EmbedError.from(error).toPlain() } as const;
    post({ kind: "result", id, result: failure, wasmBytes: wasmBytes() });
  }
}

port.on("message", (command: CrewCommand) => void decodeOne(command));
post({ kind: "ready", told: undefined, wasmBytes: wasmBytes() });
