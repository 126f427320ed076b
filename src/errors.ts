/**
 * The closed list of reasons why something failed. Reasons are stable: clients may match on them.
 * The table reason -> RPC code lives in `src/service/reason-code.ts`.
 */
export const reasons = [
  // The request and its parts.
  "REQUEST_INVALID",
  "REQUEST_TOO_LARGE",
  "BASE64_INVALID",
  // Where the encoded bytes come from.
  "SOURCE_EMPTY",
  "SOURCE_INVALID",
  "SOURCE_FORBIDDEN",
  "SOURCE_UNREACHABLE",
  "SOURCE_TOO_LARGE",
  // The picture itself.
  "IMAGE_UNSUPPORTED",
  "IMAGE_CORRUPT",
  "IMAGE_TOO_LARGE",
  // The model and its files.
  "MODEL_UNKNOWN",
  "MODEL_UNREACHABLE",
  "MODEL_CORRUPT",
  "CONVERT_UNSUPPORTED_LAYER",
  "CONVERT_INVALID",
  // The machine that computes.
  "ENGINE_UNSUPPORTED",
  "ENGINE_FAILED",
  "VECTOR_DRIFT",
  // The service around it.
  "NOT_READY",
  "OVERLOADED",
  "DEADLINE_EXCEEDED",
  "CANCELLED",
  "SHUTTING_DOWN",
  "CONFIG_INVALID",
  "INTERNAL",
] as const;

export type Reason = (typeof reasons)[number];

/** One failed item of a batch: `index` counts from 0 in the request's own list. */
export interface ItemFailure {
  readonly index: number;
  readonly reason: Reason;
  readonly message: string;
}

/** What an `EmbedError` may carry beside its message; plain data, so that it crosses threads. */
export interface ErrorDetail {
  /** Every failed item of a batch, by rising index. */
  readonly items?: readonly ItemFailure[];
}

/** An `EmbedError` as plain data, for `postMessage`. */
export interface PlainEmbedError {
  readonly reason: Reason;
  readonly message: string;
  readonly detail?: ErrorDetail;
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
  static from(error: unknown, fallback: Reason = "INTERNAL", message = "an internal error occurred"): EmbedError {
    return error instanceof EmbedError ? error : new EmbedError(fallback, message, { cause: error });
  }

  static fromPlain(plain: PlainEmbedError): EmbedError {
    return new EmbedError(plain.reason, plain.message, plain.detail ? { detail: plain.detail } : {});
  }

  toPlain(): PlainEmbedError {
    const plain = { reason: this.reason, message: this.message };
    return this.detail ? { ...plain, detail: this.detail } : plain;
  }
}
