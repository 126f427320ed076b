import { Code } from "@connectrpc/connect";
import type { Reason } from "../errors.ts";

/** What each reason is on the wire. A reason without a row does not compile. */
export const codeByReason = {
  REQUEST_INVALID: Code.InvalidArgument,
  REQUEST_TOO_LARGE: Code.ResourceExhausted,
  BASE64_INVALID: Code.InvalidArgument,
  SOURCE_EMPTY: Code.InvalidArgument,
  SOURCE_INVALID: Code.InvalidArgument,
  SOURCE_FORBIDDEN: Code.InvalidArgument,
  SOURCE_UNREACHABLE: Code.InvalidArgument,
  SOURCE_TOO_LARGE: Code.InvalidArgument,
  IMAGE_UNSUPPORTED: Code.InvalidArgument,
  IMAGE_CORRUPT: Code.InvalidArgument,
  IMAGE_TOO_LARGE: Code.InvalidArgument,
  // No code that clients retry by policy: the same picture would hold a worker again.
  IMAGE_TOO_SLOW: Code.InvalidArgument,
  PROCESSOR_FAILED: Code.InvalidArgument,
  MODEL_UNKNOWN: Code.NotFound,
  MODEL_UNREACHABLE: Code.Unavailable,
  MODEL_CORRUPT: Code.FailedPrecondition,
  CONVERT_UNSUPPORTED_LAYER: Code.FailedPrecondition,
  CONVERT_INVALID: Code.FailedPrecondition,
  ENGINE_UNSUPPORTED: Code.FailedPrecondition,
  ENGINE_FAILED: Code.Unavailable,
  VECTOR_DRIFT: Code.FailedPrecondition,
  UNAUTHENTICATED: Code.Unauthenticated,
  SERVER_UNREACHABLE: Code.Unavailable,
  NOT_READY: Code.Unavailable,
  OVERLOADED: Code.ResourceExhausted,
  DEADLINE_EXCEEDED: Code.DeadlineExceeded,
  CANCELLED: Code.Canceled,
  SHUTTING_DOWN: Code.Unavailable,
  CONFIG_INVALID: Code.FailedPrecondition,
  INTERNAL: Code.Internal,
} as const satisfies Record<Reason, Code>;
