import { Code, ConnectError } from "@connectrpc/connect";
import { EmbedError, type ItemFailure, type Reason, reasonMeanings } from "../errors.ts";
import { BatchFailureSchema, type ItemFailure as ItemFailureMessage } from "../gen/portico/v1/errors_pb.ts";

/** What a code says where no server of ours wrote the message: a proxy, the network, this client itself. */
const reasonByCode: Partial<Record<Code, Reason>> = {
  [Code.Canceled]: "CANCELLED",
  [Code.DeadlineExceeded]: "DEADLINE_EXCEEDED",
  [Code.Unauthenticated]: "UNAUTHENTICATED",
  [Code.PermissionDenied]: "UNAUTHENTICATED",
  [Code.ResourceExhausted]: "OVERLOADED",
  [Code.InvalidArgument]: "REQUEST_INVALID",
  [Code.Unavailable]: "NOT_READY",
};

const isReason = (text: string | undefined): text is Reason =>
  text !== undefined && Object.hasOwn(reasonMeanings, text);

/**
 * The error of a call as an `EmbedError`: the server's own reason and message, with every bad item that it names; else
 * what Connect's code says, and `SERVER_UNREACHABLE` where no server answered as one of these.
 */
export function toEmbedError(error: unknown): EmbedError {
  if (error instanceof EmbedError) return error;
  // Only what went over the transport is one; anything else is a defect.
  if (!(error instanceof ConnectError)) return EmbedError.from(error);
  const [, named, message] = /^([A-Z0-9_]+): ([\s\S]*)$/.exec(error.rawMessage) ?? [];
  const items = error.findDetails(BatchFailureSchema).flatMap((batch) => batch.items.map(toItemFailure));
  const options = { cause: error, ...(items.length > 0 && { detail: { items } }) };
  if (isReason(named)) return new EmbedError(named, message as string, options);
  return new EmbedError(reasonByCode[error.code] ?? "SERVER_UNREACHABLE", error.rawMessage, options);
}

export function toItemFailure({ index, reason, message, httpStatus }: ItemFailureMessage): ItemFailure {
  return {
    index,
    reason: isReason(reason) ? reason : "INTERNAL",
    message,
    ...(httpStatus !== undefined && { httpStatus }),
  };
}
