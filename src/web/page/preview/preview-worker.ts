import { EmbedError } from "../../../errors.ts";
import { type DecodeImage, defaultImageLimits } from "../../../image/pixels.ts";
import { resize } from "../../../preprocess/resize.ts";
import { loadDecoders } from "../../package-assets.ts";
import { createWorkerDecode } from "../../worker-decoders.ts";
import type { PreviewCommand, PreviewMessage, PreviewPicture } from "./preview-messages.ts";

/** Entry of a Web Worker: decodes and resizes one picture at a time, with the code that the engines have before them. */

/** The part of `DedicatedWorkerGlobalScope` that is used: the DOM's types are those of a page. */
interface WorkerScope {
  postMessage(message: PreviewMessage, transfer?: Transferable[]): void;
  onmessage: ((event: MessageEvent<PreviewCommand>) => void) | null;
}

const scope = globalThis as unknown as WorkerScope;
let decoding: Promise<DecodeImage> | undefined;

scope.onmessage = ({ data }) => void answer(data);

async function answer(command: PreviewCommand): Promise<void> {
  try {
    const picture = await preview(command);
    scope.postMessage(picture, [picture.seen.data.buffer as ArrayBuffer]);
  } catch (cause) {
    scope.postMessage({ ok: false, error: EmbedError.from(cause, "INTERNAL", String(cause)).toPlain() });
  }
}

async function preview({ bytes, preprocess }: PreviewCommand): Promise<PreviewPicture> {
  decoding ??= openDecoder();
  let decode: DecodeImage;
  try {
    decode = await decoding;
  } catch (cause) {
    // What could not be fetched is fetched again for the next picture.
    decoding = undefined;
    throw cause;
  }
  const { header, pixels } = await decode(bytes);
  const seen = resize(pixels, preprocess.width, preprocess.height, preprocess.interpolation);
  return { ok: true, format: header.format, width: header.width, height: header.height, seen };
}

async function openDecoder(): Promise<DecodeImage> {
  return createWorkerDecode(await loadDecoders(undefined), defaultImageLimits);
}
