import { imageBytes } from "../../../embed/image-bytes.ts";
import { EmbedError } from "../../../errors.ts";
import type { PreprocessSpec } from "../../../preprocess/preprocess-spec.ts";
import type { PreviewCommand, PreviewMessage, PreviewPicture } from "./preview-messages.ts";

/** Longest time for one preview, as for a vector: a picture of 50 megapixels takes 3 s. The worker is then replaced. */
const previewTimeoutMs = 30_000;

/** Shows pictures as the model sees them. Calls must not overlap. */
export interface Previewer {
  /**
   * @throws EmbedError (as a rejection): the reasons of a picture; `ENGINE_FAILED` if the worker is lost, `IMAGE_TOO_SLOW` if it
   *   says nothing
   */
  preview(picture: Blob, preprocess: PreprocessSpec): Promise<PreviewPicture>;
}

const startWorker = (): Worker =>
  new Worker(new URL("./preview-worker.js", import.meta.url), { type: "module", name: "portico-preview" });

/** A Web Worker is started with the first picture, and again if one is lost. */
export function createPreviewer(): Previewer {
  let worker: Worker | undefined;

  function ask(command: PreviewCommand): Promise<PreviewMessage> {
    worker ??= startWorker();
    const asked = worker;
    return new Promise((resolve, reject) => {
      function lose(error: EmbedError): void {
        clearTimeout(timer);
        asked.terminate();
        worker = undefined;
        reject(error);
      }
      const timer = setTimeout(() => {
        const message = `expected a preview within ${previewTimeoutMs} ms; its worker is being replaced`;
        lose(new EmbedError("IMAGE_TOO_SLOW", message));
      }, previewTimeoutMs);
      asked.onmessage = ({ data }: MessageEvent<PreviewMessage>) => {
        clearTimeout(timer);
        resolve(data);
      };
      asked.onerror = (event) => {
        event.preventDefault();
        const why = event.message || "its script cannot be loaded";
        lose(new EmbedError("ENGINE_FAILED", `the worker that reads pictures was lost: ${why}`));
      };
      asked.postMessage(command, [command.bytes.buffer]);
    });
  }

  return {
    async preview(picture, preprocess) {
      const message = await ask({ bytes: await imageBytes(picture), preprocess });
      if (!message.ok) throw EmbedError.fromPlain(message.error);
      return message;
    },
  };
}
