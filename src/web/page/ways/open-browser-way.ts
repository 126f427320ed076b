import { createEmbedder } from "../../create-embedder.ts";
import type { WebEngineName } from "../../web-engines.ts";
import type { OpenWay, OpenWayContext } from "./open-way.ts";

/** A bar that moves more often is not seen to move more. */
const progressEveryMs = 100;

export interface BrowserWayOptions {
  readonly engine: WebEngineName;
  readonly model: string;
  /** Where the converted model lies. */
  readonly onnx: URL;
}

/** The way over an engine in a Web Worker of this page; the model is downloaded unless the browser has kept it. */
export async function openBrowserWay(
  { engine, model, onnx }: BrowserWayOptions,
  { signal, onStatus, onNotKept }: OpenWayContext,
): Promise<OpenWay> {
  onStatus({ kind: "starting" });
  let toldAt = Number.NEGATIVE_INFINITY;
  const embedder = await createEmbedder({
    ...{ engine, model, onnx, signal },
    onProgress(event) {
      if (event.kind === "not-kept") onNotKept(event.why);
      else if (event.kind === "downloading") {
        const { receivedBytes, totalBytes } = event;
        if (receivedBytes === totalBytes) onStatus({ kind: "starting" });
        else if (performance.now() - toldAt >= progressEveryMs) {
          toldAt = performance.now();
          onStatus({ kind: "downloading", receivedBytes, totalBytes });
        }
      }
    },
  });
  onStatus({ kind: "ready", engine: embedder.engine, adapter: "" });
  return {
    concurrency: embedder.concurrency,
    async embed(picture, pictureSignal) {
      const { vector, vectorSpace, timings } = await embedder.embed(picture, { signal: pictureSignal });
      return { vector, vectorSpace, engine: embedder.engine, timings };
    },
    close: () => embedder.dispose(),
  };
}
