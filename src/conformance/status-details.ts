import { fromBinary } from "@bufbuild/protobuf";
import type { Any } from "@bufbuild/protobuf/wkt";
import { RpcStatusSchema } from "../gen/portico/conformance/v1/rpc_status_pb.ts";

/**
 * The details in the bytes of a `grpc-status-details-bin` trailer.
 * @throws Error if the bytes are not a google.rpc.Status, or if its code is another than `grpc-status`
 */
export function parseStatusDetails(bytes: Uint8Array, grpcStatus: number): readonly Any[] {
  const status = fromBinary(RpcStatusSchema, bytes);
  if (status.code !== grpcStatus) {
    throw new Error(`grpc-status is ${grpcStatus}, but grpc-status-details-bin holds code ${status.code}`);
  }
  return status.details;
}
