import { imageBytes } from "../../../embed/image-bytes.ts";
import { EmbedError } from "../../../errors.ts";
import type { PreprocessSpec } from "../../../preprocess/preprocess-spec.ts";
import type { PreviewCommand, PreviewMessage, PreviewPicture } from "./preview-messages.ts";

/** Shows pictures as the model sees them. Calls must not overlap. */
export interface Previewer {
  /** @throws EmbedError (as a rejection): the reasons of a picture; `ENGINE_FAILED` if the browser ended the worker */
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
      asked.onmessage = ({ data }: MessageEvent<PreviewMessage>) => resolve(data);
      asked.onerror = (event) => {
        event.preventDefault();
        asked.terminate();
        worker = undefined;
        const why = event.message || "its script cannot be loaded";
        reject(new EmbedError("ENGINE_FAILED", `the worker that reads pictures was lost: ${why}`));
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
