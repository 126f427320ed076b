import type { VariantName } from "../../../embed/model-manifest.ts";
import { createEmbedder } from "../../create-embedder.ts";
import type { WebEngineName } from "../../web-engines.ts";
import type { OpenWay, OpenWayContext } from "./open-way.ts";

/** A bar that moves more often is not seen to move more. */
const progressEveryMs = 100;

/** Longest time of one picture on a GPU: one that is made of software takes a minute. */
const gpuItemTimeoutMs = 180_000;

export interface BrowserWayOptions {
  readonly engine: WebEngineName;
  readonly model: string;
  readonly variant: VariantName;
  /** Where the converted model lies. */
  readonly onnx: URL;
  /** For whoever serves the model; empty for none. */
  readonly bearerToken: string;
}

/** The way over an engine in a Web Worker of this page; the model is downloaded unless the browser has kept it. */
export async function openBrowserWay(
  { engine, model, variant, onnx, bearerToken }: BrowserWayOptions,
  { signal, onStatus, onNotKept, onReplaced }: OpenWayContext,
): Promise<OpenWay> {
  onStatus({ kind: "starting" });
  let toldAt = Number.NEGATIVE_INFINITY;
  function onDownload(receivedBytes: number, totalBytes: number): void {
    if (receivedBytes === totalBytes) onStatus({ kind: "starting" });
    else if (performance.now() - toldAt >= progressEveryMs) {
      toldAt = performance.now();
      onStatus({ kind: "downloading", receivedBytes, totalBytes });
    }
  }
  const embedder = await createEmbedder({
    ...{ engine, model, variant, onnx, signal },
    ...(bearerToken !== "" && { onnxHeaders: { authorization: `Bearer ${bearerToken}` } }),
    ...(engine === "ort-webgpu" && { itemTimeoutMs: gpuItemTimeoutMs }),
    onProgress(event) {
      if (event.kind === "downloading") onDownload(event.receivedBytes, event.totalBytes);
      else if (event.kind === "not-kept") onNotKept(event.why);
      else if (event.kind === "engine-ready") {
        onStatus({ kind: "ready", engine: event.engine, adapter: event.adapter ?? "" });
      } else if (event.kind === "worker-lost" || event.kind === "device-replaced") {
        onReplaced(event.error.message);
      }
    },
  });
  return {
    concurrency: embedder.concurrency,
    async embed(picture, pictureSignal) {
      const { vector, vectorSpace, timings } = await embedder.embed(picture, { signal: pictureSignal });
      return { vector, vectorSpace, engine: embedder.engine, timings };
    },
    close: () => embedder.dispose(),
  };
}
