import { create, toBinary } from "@bufbuild/protobuf";
import { ConnectError } from "@connectrpc/connect";
import type { EmbedError, ItemFailure, Reason } from "../errors.ts";
import { type BatchFailure, BatchFailureSchema, ItemFailureSchema } from "../gen/portico/v1/errors_pb.ts";
import { codeByReason } from "./reason-code.ts";

/**
 * gRPC sends error details in the trailers, and gRPC's C core refuses more than 8 KiB of those by default.
 * Messages of items get this much; indexes and reasons of a whole batch fit into the rest.
 */
const itemMessagesMaxBytes = 2048;

/**
 * When to come back, for failures that pass: in seconds for HTTP clients (RFC 9110, 10.2.3), in milliseconds for
 * gRPC's own retries (gRFC A6). A second is a few pictures of work.
 */
const retryLater = { "retry-after": "1", "grpc-retry-pushback-ms": "1000" };
const passing: ReadonlySet<Reason> = new Set(["OVERLOADED", "NOT_READY"]);

/**
 * An `EmbedError` as the error of a call: `REASON: message`. Its items become a `portico.v1.BatchFailure`
 * detail that names every failed index; its cause stays behind.
 */
export function toConnectError(error: EmbedError): ConnectError {
  const items = error.detail?.items;
  const details = items ? [{ desc: BatchFailureSchema, value: toBatchFailure(items) }] : [];
  return new ConnectError(
    `${error.reason}: ${error.message}`,
    codeByReason[error.reason],
    passing.has(error.reason) ? retryLater : undefined,
    details,
    error.cause,
  );
}

function toBatchFailure(failures: readonly ItemFailure[]): BatchFailure {
  const batch = create(BatchFailureSchema);
  let bytes = 0;
  for (const failure of failures) {
    const item = create(ItemFailureSchema, failure);
    bytes += toBinary(ItemFailureSchema, item).length;
    if (bytes <= itemMessagesMaxBytes) batch.items.push(item);
  }
  const byReason = Map.groupBy(failures, (failure) => failure.reason);
  for (const [reason, group] of byReason) {
    batch.indexes.push({
      $typeName: "portico.v1.ReasonIndexes",
      reason,
      indexes: group.map(({ index }) => index),
    });
  }
  return batch;
}
