/**
 * The closed list of reasons why something failed, each with its meaning. Reasons are stable: clients may
 * match on them. The table reason -> RPC code lives in `src/service/reason-code.ts`; docs/errors.md is
 * generated from both.
 */
export const reasonMeanings = {
  // The request and its parts.
  REQUEST_INVALID: "The request as a whole makes no sense.",
  REQUEST_TOO_LARGE: "The request holds more items or bytes than one call may.",
  BASE64_INVALID: "An item of `datas` is neither base64 nor a base64 data URI.",
  // Where the encoded bytes come from.
  SOURCE_EMPTY: "There are no bytes at all.",
  SOURCE_INVALID: "An item of `urls` is not an http or https URL.",
  SOURCE_FORBIDDEN: "The text of the URL shows that this server does not fetch it.",
  SOURCE_UNREACHABLE:
    "The bytes could not be fetched or read; the message and `http_status` hold the HTTP status, if there was one.",
  SOURCE_TOO_LARGE: "The encoded picture is larger than this server takes.",
  // The picture itself.
  IMAGE_UNSUPPORTED: "The bytes are no picture, or a format or variant of one that is not decoded.",
  IMAGE_CORRUPT: "The bytes break the rules of their own format, or end too early.",
  IMAGE_TOO_LARGE:
    "The header claims more pixels than this server decodes or its bytes can hold, or the picture needs more memory than one may.",
  IMAGE_TOO_SLOW: "The picture took longer than this server works on one.",
  PROCESSOR_FAILED:
    "The processor that this server runs threw an error at this picture, or gave no pictures that can be sent.",
  // The model and its files.
  MODEL_UNKNOWN: "There is no model of this name.",
  MODEL_UNREACHABLE: "The weights could not be fetched.",
  MODEL_CORRUPT: "A model file is not what its hash says, or cannot be read.",
  CONVERT_UNSUPPORTED_LAYER: "The Keras model has a layer, or a setting of one, that is not converted yet.",
  CONVERT_INVALID: "The Keras model contradicts itself: a weight is missing, left over or misshapen.",
  // The machine that computes.
  ENGINE_UNSUPPORTED: "The engine cannot run a model of this shape.",
  ENGINE_FAILED: "The engine failed or was replaced while it worked on this picture; a retry may succeed.",
  VECTOR_DRIFT: "Vectors differ from Keras's by more than their tolerance.",
  // The service around it.
  UNAUTHENTICATED: "The call carries no bearer token that this server knows.",
  SERVER_UNREACHABLE: "No server answered, or none that speaks this API; only a client of one says so.",
  NOT_READY: "The model is still loading or could not be loaded, or no worker is alive.",
  OVERLOADED: "More work is waiting than this server holds; retry later.",
  DEADLINE_EXCEEDED: "The caller's deadline passed before the work was done.",
  CANCELLED: "The caller went away before the work was done.",
  SHUTTING_DOWN: "The server is about to stop and takes no new work.",
  CONFIG_INVALID: "A flag, an environment variable or a file of this installation is wrong.",
  INTERNAL: "A defect of Portico; the log has the cause.",
} as const;

export type Reason = keyof typeof reasonMeanings;

/** One failed item of a batch: `index` counts from 0 in the request's own list. */
export interface ItemFailure {
  readonly index: number;
  readonly reason: Reason;
  readonly message: string;
  /** Of the answer to its URL, where that is why it failed. */
  readonly httpStatus?: number;
}

/** What an `EmbedError` may carry beside its message; plain data, so that it crosses threads. */
export interface ErrorDetail {
  /** Every failed item of a batch, by rising index. */
  readonly items?: readonly ItemFailure[];
  /** Of the answer to a picture's URL, where that is why it failed. */
  readonly httpStatus?: number;
}

/** An `EmbedError` as plain data, for `postMessage`. */
export interface PlainEmbedError {
  readonly reason: Reason;
  readonly message: string;
  readonly detail?: ErrorDetail;
  /** The cause as text, for the log on the other side. */
  readonly cause?: string;
}

/**
 * The one error type of Portico. `message` says what was expected, what was got, and which limit or flag
 * decides. `cause` stays on this side: it goes to the log, never to a client.
 */
export class EmbedError extends Error {
  readonly reason: Reason;
  readonly detail: ErrorDetail | undefined;

  constructor(reason: Reason, message: string, options: { cause?: unknown; detail?: ErrorDetail } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "EmbedError";
    this.reason = reason;
    this.detail = options.detail;
  }

  /**
   * The single funnel: an `EmbedError` passes through, anything else becomes one with `fallback` as its
   * reason. The text of an unknown error may hold inner details, so it is kept as `cause` only.
   */
  static from(
    error: unknown,
    fallback: Reason = "INTERNAL",
    message = "an internal error occurred",
  ): EmbedError {
    return error instanceof EmbedError ? error : new EmbedError(fallback, message, { cause: error });
  }

  static fromPlain({ reason, message, detail, cause }: PlainEmbedError): EmbedError {
    return new EmbedError(reason, message, { cause, ...(detail && { detail }) });
  }

  toPlain(): PlainEmbedError {
    return {
      reason: this.reason,
      message: this.message,
      ...(this.detail && { detail: this.detail }),
      ...(this.cause !== undefined && { cause: String(this.cause) }),
    };
  }
}
