import { parentPort, workerData } from "node:worker_threads";
import { deflateSync } from "node:zlib";
import { checkProcessor } from "../../embed/check-processor.ts";
import { createPreview } from "../../embed/preview-processor.ts";
import { createProcessPicture } from "../../embed/process-picture.ts";
import type { Processor } from "../../embed/processor.ts";
import { EmbedError } from "../../errors.ts";
import { createDecodeImage } from "../../image/decode-image.ts";
import type { CrewCommand } from "./crew-protocol.ts";
import type { ProcessMessage, ProcessorSource, ProcessorStart } from "./processor-protocol.ts";
import { watchWasmMemory } from "./wasm-memory.ts";

/** Entry of a thread that runs a processor: one picture at a time, from encoded bytes to pictures as base64. */

const wasmBytes = watchWasmMemory();
const port = parentPort;
if (!port) throw new EmbedError("CONFIG_INVALID", "processor-worker must be started as a worker thread");

function post(message: ProcessMessage, transfer: ArrayBuffer[] = []): void {
  port?.postMessage(message, transfer);
}

/** @throws EmbedError `CONFIG_INVALID` if the module cannot be loaded or exports no processor */
async function loadProcessor(source: ProcessorSource): Promise<Processor> {
  if (source.kind === "preview") return createPreview(source.input);
  let loaded: { readonly default?: unknown };
  try {
    loaded = await import(source.url);
  } catch (cause) {
    // Some messages of Node have several lines; the first says it.
    const [why] = (cause instanceof Error ? cause.message : String(cause)).split("\n");
    throw new EmbedError("CONFIG_INVALID", `the processor ${source.shown} cannot be loaded: ${why}`, {
      cause,
    });
  }
  return checkProcessor(loaded.default, source.shown);
}

try {
  const { source, codecs, limits } = workerData as ProcessorStart;
  const processor = await loadProcessor(source);
  const processPicture = createProcessPicture({
    processor,
    decode: createDecodeImage(codecs, limits),
    limits,
    deflate: (bytes) => deflateSync(bytes),
    now: () => performance.now(),
  });
  port.on("message", async ({ id, bytes }: CrewCommand) => {
    const result = await processPicture(bytes);
    if (result.ok) {
      const moved = result.images.map(({ buffer }) => buffer as ArrayBuffer);
      post({ kind: "result", id, result, wasmBytes: wasmBytes() }, moved);
    } else {
      const failure = { ok: false, error: result.error.toPlain() } as const;
      post({ kind: "result", id, result: failure, wasmBytes: wasmBytes() });
    }
  });
  post({ kind: "ready", told: processor.name, wasmBytes: wasmBytes() });
} catch (error) {
  post({ kind: "failed", error: EmbedError.from(error).toPlain() });
}
