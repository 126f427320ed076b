import type { PlainEmbedError, Reason } from "../../../errors.ts";

/** Each reason as a user of the page meets it; the error's own message, which follows, has the particulars. */
const sentences: Readonly<Record<Reason, string>> = {
  REQUEST_INVALID: "The server does not understand the request.",
  REQUEST_TOO_LARGE: "The picture is larger than the server takes in one call.",
  BASE64_INVALID: "The server cannot read what was sent.",
  SOURCE_EMPTY: "The file is empty.",
  SOURCE_INVALID: "This is not an address of a picture.",
  SOURCE_FORBIDDEN: "The server does not fetch from this address.",
  SOURCE_UNREACHABLE: "The file cannot be read any more: it was changed, moved or deleted.",
  SOURCE_TOO_LARGE: "The file is too large.",
  IMAGE_UNSUPPORTED:
    "A file of this kind is not read here; usual JPEG, PNG, WebP, GIF, BMP and TIFF files are.",
  IMAGE_CORRUPT: "The picture is damaged or incomplete.",
  IMAGE_TOO_LARGE: "The picture has too many pixels.",
  IMAGE_TOO_SLOW: "The picture took too long.",
  PROCESSOR_FAILED: "The server can make nothing of this picture.",
  MODEL_UNKNOWN: "The model is not there.",
  MODEL_UNREACHABLE: "The model cannot be downloaded.",
  MODEL_CORRUPT: "The model arrived damaged.",
  CONVERT_UNSUPPORTED_LAYER: "The model cannot be converted.",
  CONVERT_INVALID: "The model cannot be converted.",
  ENGINE_UNSUPPORTED: "The engine cannot run this model.",
  ENGINE_FAILED: "The engine failed or was lost. Trying again may help.",
  VECTOR_DRIFT: "The engine does not give the right vectors on this machine, so it is not used.",
  UNAUTHENTICATED: "The server wants an access token.",
  SERVER_UNREACHABLE: "The server does not answer.",
  NOT_READY: "The server is not ready yet. Try again in a moment.",
  OVERLOADED: "The server is busy. Try again in a moment.",
  DEADLINE_EXCEEDED: "The answer took too long.",
  CANCELLED: "The work was stopped.",
  SHUTTING_DOWN: "The server is about to stop.",
  CONFIG_INVALID: "Something that the engine needs is not there.",
  INTERNAL: "Something went wrong that should not.",
};

/** An error in words: a sentence for everybody, then what exactly was met. */
export interface DescribedError {
  readonly sentence: string;
  /** The error's own message: what was expected, what was got. */
  readonly particulars: string;
  readonly reason: Reason;
}

/** Puts an error into words. */
export function describeError({ reason, message }: PlainEmbedError): DescribedError {
  return { sentence: sentences[reason], particulars: message, reason };
}
